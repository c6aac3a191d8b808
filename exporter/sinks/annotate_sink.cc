#include "sinks/annotate_sink.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/percent_encoding.h"
#include "events/cluster_kinds.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using Verdict = ApiAnswer::Verdict;

constexpr std::chrono::seconds kLookInterval{1};
constexpr std::chrono::seconds kLookAfterFailure{30};

bool ToBeAnnotated(const Occurrence& occurrence) {
  return occurrence.scope == Scope::kCluster && occurrence.type == "Warning";
}

std::pair<WallTime, uint64_t> Age(const Occurrence& occurrence) {
  return {occurrence.occurred_at, occurrence.resource_version};
}

// Whether an object may be called so: path.IsValidPathSegmentName of
// k8s.io/apimachinery, and no white space.
bool IsObjectName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return c > ' ' && c < '\x7F' && c != '/' && c != '%';
         });
}

std::string Collection(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// Whether the answer to an apply says that the object it meant is not there:
// it is gone, or another one has its name. Where it is gone the API server
// would create it (k8s.io/apiserver pkg/endpoints/handlers/patch.go,
// applyPatcher.createNewObject): it answers 409 when the body has a uid, and
// 403 when we may not create. Where its uid is another, 422 or 409.
bool IsGone(const ApiAnswer& answer) {
  const auto says = [&answer](std::string_view text) {
    return answer.body.find(text) != std::string::npos;
  };
  switch (answer.verdict) {
    case Verdict::kNotFound:
      return true;
    case Verdict::kForbidden:
      return says("cannot create resource");
    case Verdict::kConflict:
      return says("uid mismatch") || says("UID in precondition");
    case Verdict::kRefused:
      return says("metadata.uid");
    default:
      return false;
  }
}

}  // namespace

// What one batch came to.
struct AnnotateSink::Round {
  SteadyTime now;
  std::optional<SteadyTime> next;  // when the first that is held is due
  std::string problem;
  std::optional<std::chrono::seconds> retry_after;
  std::set<std::string> forbidden;  // collections
  bool failed = false;              // what could be sent was not
  bool over = false;                // the API server takes no more now
};

AnnotateSink::AnnotateSink(HttpTransport& transport, const Discovery& discovery,
                           const Clock& clock, SinkMemory& memory,
                           AnnotateOptions options)
    : transport_(transport),
      discovery_(discovery),
      clock_(clock),
      memory_(memory),
      options_(std::move(options)),
      query_("?fieldManager=kube-event-metrics-" +
             PercentEncode(options_.sink) + "&force=true"),
      ask_at_(clock.SteadyNow()),
      look_at_(clock.SteadyNow()) {
  for (const auto& [path, text] : memory_.All()) {
    std::optional<Annotation> annotation = LoadAnnotation(text);
    if (!annotation) {
      memory_.Remember(path, "");
      continue;
    }
    const auto since = std::clamp<WallTime::duration>(
        clock_.WallNow() - (annotation->until - options_.label_ttl),
        WallTime::duration(0), kOnceIn);
    annotations_[path] = {std::move(*annotation), clock_.SteadyNow() - since};
  }
}

const AnnotateSink::Resource* AnnotateSink::Find(
    const Occurrence& occurrence) const {
  const auto found = kinds_.find(occurrence.kind);
  if (found == kinds_.end()) return nullptr;
  const Resource* same_group = nullptr;
  std::set<std::string_view> groups;
  for (const Resource& resource : found->second) {
    if (resource.api_version == occurrence.api_version) return &resource;
    const std::string_view group = ApiGroup(resource.api_version);
    groups.insert(group);
    // An Event may leave the version out, and outlives it.
    const bool same = occurrence.api_version.empty() ||
                      group == ApiGroup(occurrence.api_version);
    if (same && same_group == nullptr) same_group = &resource;
  }
  if (occurrence.api_version.empty() && groups.size() > 1) return nullptr;
  return same_group;
}

std::string AnnotateSink::Path(const Occurrence& occurrence) const {
  const Resource* resource = Find(occurrence);
  if (resource == nullptr || !IsObjectName(occurrence.object_name)) return "";
  const bool core = resource->api_version.find('/') == std::string::npos;
  return (core ? "/api/" : "/apis/") + resource->api_version + "/" +
         resource->plural + "/" + PercentEncode(occurrence.object_name);
}

bool AnnotateSink::LearnKinds(std::span<const Occurrence> batch,
                              const std::stop_token& stop,
                              std::string& problem) {
  const bool known = std::all_of(
      batch.begin(), batch.end(), [this](const Occurrence& occurrence) {
        return !ToBeAnnotated(occurrence) || Find(occurrence) != nullptr;
      });
  const SteadyTime now = clock_.SteadyNow();
  if (known || now < ask_at_) return true;
  const Result<ApiKinds> found = discovery_.Fetch(stop);
  if (!found) {
    problem = "discovery: " + found.error().message;
    return false;
  }
  ask_at_ = now + kAskAgain;
  kinds_.clear();
  for (const ApiKind& kind : found->kinds) {
    if (kind.namespaced || kind.plural.empty()) continue;
    kinds_[kind.kind].push_back({kind.api_version, kind.plural});
  }
  return true;
}

Delivery AnnotateSink::Deliver(std::span<const Occurrence> batch,
                               const std::stop_token& stop) {
  Round round;
  if (!LearnKinds(batch, stop, round.problem)) {
    return {.problem = round.problem};
  }
  round.now = clock_.SteadyNow();
  std::vector<std::string> paths(batch.size());
  std::map<std::string_view, size_t> newest;
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!ToBeAnnotated(batch[i])) continue;
    paths[i] = Path(batch[i]);
    if (paths[i].empty()) continue;
    const auto [at, first] = newest.emplace(paths[i], i);
    if (!first && Age(batch[i]) >= Age(batch[at->second])) at->second = i;
  }
  for (const auto& [path, i] : newest) {
    if (round.over || stop.stop_requested()) break;
    Send(paths[i], batch[i], stop, round);
  }
  Delivery delivery;
  for (size_t i = 0; i < batch.size(); ++i) {
    const auto at = annotations_.find(paths[i]);
    const bool annotated = at != annotations_.end() &&
                           at->second.annotation.Age() >= Age(batch[i]);
    // Of an object that is held only the newest needs to wait, so that a storm
    // about it does not fill the queue.
    if (!paths[i].empty() && !annotated &&
        (round.failed || newest.at(paths[i]) == i)) {
      break;
    }
    const bool unknown = paths[i].empty() && ToBeAnnotated(batch[i]);
    if (unknown && round.problem.empty()) {
      round.problem = "there is no cluster-scoped object " +
                      std::string(batch[i].kind) + " \"" +
                      std::string(batch[i].object_name) + "\" to be annotated";
    }
    if (unknown || (annotated && at->second.refused)) ++delivery.refused;
    ++delivery.done;
  }
  std::erase_if(annotations_, [&](const auto& item) {
    return item.second.annotation.label.empty() &&
           round.now - item.second.sent_at >= kOnceIn &&
           newest.find(item.first) == newest.end();
  });
  delivery.problem = std::move(round.problem);
  delivery.retry_after = round.retry_after;
  if (round.next && !round.failed) {
    delivery.hold =
        std::chrono::ceil<milliseconds>(*round.next - clock_.SteadyNow());
  }
  return delivery;
}

Annotation AnnotateSink::AnnotationOf(const Occurrence& occurrence) const {
  Annotation annotation;
  annotation.api_version = Find(occurrence)->api_version;
  annotation.kind = occurrence.kind;
  annotation.name = occurrence.object_name;
  if (IsUuid(occurrence.object_uid)) annotation.uid = occurrence.object_uid;
  annotation.annotation = AnnotationText(occurrence);
  annotation.label = LabelValue(occurrence.reason);
  annotation.until = clock_.WallNow() + options_.label_ttl;
  annotation.occurred_at = occurrence.occurred_at;
  annotation.resource_version = occurrence.resource_version;
  return annotation;
}

void AnnotateSink::Send(const std::string& path, const Occurrence& occurrence,
                        const std::stop_token& stop, Round& round) {
  if (round.forbidden.contains(Collection(path))) return;
  const auto before = annotations_.find(path);
  if (before != annotations_.end()) {
    if (before->second.annotation.Age() >= Age(occurrence)) return;
    const SteadyTime due = before->second.sent_at + kOnceIn;
    if (round.now < due) {
      round.next = std::min(round.next.value_or(due), due);
      return;
    }
  }
  Annotated annotated{AnnotationOf(occurrence), round.now};
  Annotation& annotation = annotated.annotation;
  // First, so that no crash leaves a label of which nobody knows.
  if (!memory_.Remember(path, SaveAnnotation(annotation)))
    annotation.label.clear();
  const ApiAnswer answer = Apply(path, annotation, stop);
  switch (answer.verdict) {
    case Verdict::kDone:
      break;
    case Verdict::kRefused:
      round.problem = answer.problem;
      if (before != annotations_.end()) {  // which is what the object still has
        annotated.annotation.label = before->second.annotation.label;
        annotated.annotation.annotation = before->second.annotation.annotation;
        annotated.annotation.until = before->second.annotation.until;
      } else {
        annotation.label.clear();
      }
      annotated.refused = true;
      break;
    default:
      round.failed = true;
      round.problem = answer.problem;
      round.retry_after = answer.retry_after;
      round.over = answer.verdict == Verdict::kTryAgain;
      round.forbidden.insert(Collection(path));
      if (before == annotations_.end()) {
        memory_.Remember(path, "");
      } else {
        Keep(path, before->second);
      }
      return;
  }
  Keep(path, annotated);
  annotations_[path] = std::move(annotated);
}

void AnnotateSink::Keep(const std::string& path, Annotated& annotated) {
  memory_.Remember(path, annotated.annotation.label.empty()
                             ? ""
                             : SaveAnnotation(annotated.annotation));
}

ApiAnswer AnnotateSink::Apply(const std::string& path, Annotation& annotation,
                              const std::stop_token& stop) {
  if (annotation.uid.empty()) {
    ApiAnswer found = FindUid(path, annotation, stop);
    if (found.verdict == Verdict::kNotFound) {
      annotation.label.clear();
      return {.verdict = Verdict::kDone};
    }
    if (found.verdict != Verdict::kDone) return found;
  }
  ApiAnswer answer = SendToApi(transport_,
                               {.method = "PATCH",
                                .path = path + query_,
                                .content_type = "application/apply-patch+yaml",
                                .body = ApplyBody(annotation, options_.key)},
                               stop);
  if (IsGone(answer)) {
    annotation.label.clear();
    return {.verdict = Verdict::kDone};
  }
  return answer;
}

// kDone without a uid where we may not read: then the API server keeps us from
// creating, as a role without get has no create either.
ApiAnswer AnnotateSink::FindUid(const std::string& path, Annotation& annotation,
                                const std::stop_token& stop) {
  if (!may_get_) return {.verdict = Verdict::kDone};
  ApiAnswer answer =
      SendToApi(transport_,
                {.method = "GET",
                 .path = path,
                 .accept = "application/json;as=PartialObjectMetadata;"
                           "g=meta.k8s.io;v=v1"},
                stop);
  if (answer.verdict == Verdict::kForbidden) {
    may_get_ = false;
    return {.verdict = Verdict::kDone};
  }
  if (answer.verdict != Verdict::kDone) return answer;
  const auto object = nlohmann::json::parse(answer.body, nullptr, false);
  const nlohmann::json::json_pointer uid("/metadata/uid");
  if (object.is_object() && object.contains(uid) &&
      object.at(uid).is_string()) {
    annotation.uid = object.at(uid).get<std::string>();
  }
  return answer;
}

void AnnotateSink::Idle(const std::stop_token& stop) {
  if (clock_.SteadyNow() < look_at_) return;
  look_at_ = clock_.SteadyNow() + kLookInterval;
  for (auto& [path, annotated] : annotations_) {
    Annotation& annotation = annotated.annotation;
    if (annotation.label.empty() || annotation.until > clock_.WallNow())
      continue;
    const std::string label = std::exchange(annotation.label, "");
    const ApiAnswer answer = Apply(path, annotation, stop);
    if (stop.stop_requested()) {  // once more after a restart
      annotation.label = label;
      return;
    }
    if (answer.verdict == Verdict::kTryAgain ||
        answer.verdict == Verdict::kForbidden ||
        answer.verdict == Verdict::kConflict) {
      annotation.label = label;
      look_at_ = clock_.SteadyNow() + kLookAfterFailure;
      if (!std::exchange(stuck_, true)) {
        LogWarn("A annotation's label cannot be taken off yet",
                {{"sink", options_.sink}, {"problem", answer.problem}});
      }
      return;
    }
    stuck_ = false;
    Keep(path, annotated);
  }
}

milliseconds AnnotateSink::idle_interval() const {
  return std::min<milliseconds>(options_.label_ttl / 4,
                                std::chrono::minutes(1));
}

}  // namespace kem
