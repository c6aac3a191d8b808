// Which annotation each object has and when it was written: decides what
// AnnotateSink writes next, and keeps it in the sink's memory over restarts.
// Sends nothing and reads no clock.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "sinks/annotation.h"
#include "sinks/sink.h"

namespace kem {

// Objects are keyed by their URL path. Not thread-safe.
class AnnotationTable {
 public:
  // At most one write per object in this time.
  static constexpr std::chrono::seconds kInterval{60};

  // Loads the annotations in `memory`, which must outlive this. `label_ttl` is
  // what `until` was computed with; `wall` and `now` are the present.
  AnnotationTable(SinkMemory& memory, std::chrono::seconds label_ttl,
                  WallTime wall, SteadyTime now);

  // Whether the object's last annotation, written or refused, is as new.
  bool IsCurrent(const std::string& path, const Annotation::Age& age) const;
  // Whether the API server refused the object's last annotation.
  bool IsRefused(const std::string& path) const;
  // When the object may be written again.
  SteadyTime NotBefore(const std::string& path) const;

  // Call Begin before a write, so that a crash leaves no label that the table
  // does not know, and one of the next three after it. Begin clears the label
  // when the memory is full.
  void Begin(const std::string& path, Annotation& annotation);
  // The API server accepted it, or the object does not exist.
  void Commit(const std::string& path, Annotation annotation, SteadyTime now);
  // The API server refused it for good: the object keeps what it has.
  void Refuse(const std::string& path, Annotation annotation, SteadyTime now);
  // The write failed.
  void Cancel(const std::string& path);

  // The objects whose label is due for removal, without that label.
  std::vector<std::pair<std::string, Annotation>> Expired(WallTime wall) const;
  // The API server removed the label.
  void CommitExpired(const std::string& path, Annotation annotation);

  // Forgets objects without a label that may be written now, unless `keep`.
  void Prune(SteadyTime now,
             const std::function<bool(const std::string&)>& keep);

 private:
  struct Entry {
    Annotation annotation;
    SteadyTime written_at;
    bool refused = false;
  };

  void Save(const std::string& path, const Annotation& annotation);

  SinkMemory& memory_;
  std::map<std::string, Entry> entries_;
};

}  // namespace kem
