#include "sinks/annotation_table.h"

#include <algorithm>

namespace kem {

AnnotationTable::AnnotationTable(SinkMemory& memory,
                                 std::chrono::seconds label_ttl, WallTime wall,
                                 SteadyTime now)
    : memory_(memory) {
  for (const auto& [path, text] : memory_.All()) {
    std::optional<Annotation> annotation = LoadAnnotation(text);
    if (!annotation) {
      memory_.Remember(path, "");
      continue;
    }
    const auto since =
        std::clamp<WallTime::duration>(wall - (annotation->until - label_ttl),
                                       WallTime::duration(0), kInterval);
    annotation->age.first = LimitAhead(annotation->age.first, wall);
    entries_[path] = {std::move(*annotation), now - since};
  }
}

bool AnnotationTable::IsCurrent(const std::string& path,
                                const Annotation::Age& age) const {
  const auto at = entries_.find(path);
  return at != entries_.end() && at->second.annotation.age >= age;
}

bool AnnotationTable::IsRefused(const std::string& path) const {
  const auto at = entries_.find(path);
  return at != entries_.end() && at->second.refused;
}

SteadyTime AnnotationTable::NotBefore(const std::string& path) const {
  const auto at = entries_.find(path);
  return at == entries_.end() ? SteadyTime::min()
                              : at->second.written_at + kInterval;
}

void AnnotationTable::Begin(const std::string& path, Annotation& annotation) {
  if (!memory_.Remember(path, SaveAnnotation(annotation))) {
    annotation.label.clear();
  }
}

void AnnotationTable::Commit(const std::string& path, Annotation annotation,
                             SteadyTime now) {
  Save(path, annotation);
  entries_[path] = {std::move(annotation), now};
}

void AnnotationTable::Refuse(const std::string& path, Annotation annotation,
                             SteadyTime now) {
  annotation.label.clear();
  if (const auto before = entries_.find(path); before != entries_.end()) {
    const Annotation& kept = before->second.annotation;
    annotation.text = kept.text;
    annotation.label = kept.label;
    annotation.until = kept.until;
  }
  Save(path, annotation);
  entries_[path] = {std::move(annotation), now, true};
}

void AnnotationTable::Cancel(const std::string& path) {
  const auto before = entries_.find(path);
  if (before == entries_.end()) {
    memory_.Remember(path, "");
  } else {
    Save(path, before->second.annotation);
  }
}

std::vector<std::pair<std::string, Annotation>> AnnotationTable::Expired(
    WallTime wall) const {
  std::vector<std::pair<std::string, Annotation>> expired;
  for (const auto& [path, entry] : entries_) {
    if (entry.annotation.label.empty() || entry.annotation.until > wall) {
      continue;
    }
    expired.emplace_back(path, entry.annotation).second.label.clear();
  }
  return expired;
}

void AnnotationTable::CommitExpired(const std::string& path,
                                    Annotation annotation) {
  Save(path, annotation);
  entries_[path].annotation = std::move(annotation);
}

void AnnotationTable::Prune(
    SteadyTime now, const std::function<bool(const std::string&)>& keep) {
  std::erase_if(entries_, [&](const auto& item) {
    return item.second.annotation.label.empty() &&
           now - item.second.written_at >= kInterval && !keep(item.first);
  });
}

// Without a label there is nothing to remove later.
void AnnotationTable::Save(const std::string& path,
                           const Annotation& annotation) {
  memory_.Remember(path,
                   annotation.label.empty() ? "" : SaveAnnotation(annotation));
}

}  // namespace kem
