#include "sinks/annotate_sink.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/json_member.h"
#include "base/log.h"
#include "events/cluster_kinds.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using Verdict = ApiAnswer::Verdict;

constexpr std::chrono::seconds kRemovalInterval{1};
constexpr std::chrono::seconds kRemovalRetry{30};

bool CanAnnotate(const Occurrence& occurrence) {
  return occurrence.scope == Scope::kCluster && occurrence.type == "Warning";
}

// path.IsValidPathSegmentName of k8s.io/apimachinery, and no white space.
bool IsObjectName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && IsVisibleAscii(name) &&
         name.find_first_of("/%") == std::string_view::npos;
}

std::string Collection(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// Whether the object of an apply does not exist, or another object has its
// name. The API server would create a missing object (k8s.io/apiserver
// pkg/endpoints/handlers/patch.go, applyPatcher.createNewObject): it answers
// 409 for a body with a uid, and 403 without permission to create. For another
// uid it answers 422 or 409.
bool IsGone(const ApiAnswer& answer) {
  const auto has = [&answer](std::string_view text) {
    return answer.body.find(text) != std::string::npos;
  };
  switch (answer.verdict) {
    case Verdict::kNotFound:
      return true;
    case Verdict::kForbidden:
      return has("cannot create resource");
    case Verdict::kConflict:
      return has("uid mismatch") || has("UID in precondition");
    case Verdict::kRefused:
      return has("metadata.uid");
    default:
      return false;
  }
}

}  // namespace

// The objects of a batch.
struct AnnotateSink::Plan {
  // By occurrence; empty for one that cannot be annotated.
  std::vector<std::string> paths;
  // The newest occurrence of each path.
  std::map<std::string, size_t> newest;
};

// The state of one Deliver.
struct AnnotateSink::Round {
  SteadyTime now;
  std::optional<SteadyTime> next;  // the earliest write that must wait
  std::string refusal;
  std::optional<Delivery::Failure> failure;
  std::set<std::string> failed;  // collections
  bool over = false;             // the API server accepts nothing now
};

AnnotateSink::AnnotateSink(std::unique_ptr<HttpTransport> transport,
                           const Discovery& discovery, const Clock& clock,
                           SinkMemory& memory, AnnotateOptions options)
    : transport_(std::move(transport)),
      discovery_(discovery),
      clock_(clock),
      options_(std::move(options)),
      query_("?fieldManager=kube-event-metrics-" +
             PercentEncode(options_.sink) + "&force=true"),
      next_discovery_(clock.SteadyNow()),
      next_removal_(clock.SteadyNow()),
      table_(memory, options_.label_ttl, clock.WallNow(), clock.SteadyNow()) {}

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
    // An Event may omit the version, and may outlive it.
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

Result<void> AnnotateSink::LearnKinds(std::span<const Occurrence> batch,
                                      const std::stop_token& stop) {
  const bool known = std::all_of(
      batch.begin(), batch.end(), [this](const Occurrence& occurrence) {
        return !CanAnnotate(occurrence) || Find(occurrence) != nullptr;
      });
  const SteadyTime now = clock_.SteadyNow();
  if (known || now < next_discovery_) return {};
  const Result<ApiKinds> found = discovery_.Fetch(stop);
  if (!found) return found.error();
  next_discovery_ = now + kDiscoveryInterval;
  kinds_.clear();
  for (const ApiKind& kind : found->kinds) {
    if (kind.namespaced || kind.plural.empty()) continue;
    kinds_[kind.kind].push_back({kind.api_version, kind.plural});
  }
  return {};
}

Annotation::Age AnnotateSink::AgeOf(const Occurrence& occurrence) const {
  return {LimitAhead(occurrence.occurred_at, delivered_at_),
          occurrence.resource_version};
}

AnnotateSink::Plan AnnotateSink::MakePlan(
    std::span<const Occurrence> batch) const {
  Plan plan;
  plan.paths.resize(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!CanAnnotate(batch[i])) continue;
    plan.paths[i] = Path(batch[i]);
    if (plan.paths[i].empty()) continue;
    const auto [at, first] = plan.newest.emplace(plan.paths[i], i);
    if (!first && AgeOf(batch[i]) >= AgeOf(batch[at->second])) at->second = i;
  }
  return plan;
}

Delivery AnnotateSink::Deliver(std::span<const Occurrence> batch,
                               const std::stop_token& stop) {
  delivered_at_ = clock_.WallNow();
  if (const Result<void> learned = LearnKinds(batch, stop); !learned) {
    return {.rest = Delivery::Failure{"discovery: " + learned.error().message}};
  }
  Round round;
  round.now = clock_.SteadyNow();
  const Plan plan = MakePlan(batch);
  for (const auto& [path, i] : plan.newest) {
    if (round.over || stop.stop_requested()) break;
    Send(path, batch[i], stop, round);
  }
  Delivery delivery = Settle(batch, plan, round);
  table_.Prune(round.now, [&plan](const std::string& path) {
    return plan.newest.contains(path);
  });
  return delivery;
}

Delivery AnnotateSink::Settle(std::span<const Occurrence> batch,
                              const Plan& plan, Round& round) const {
  Delivery delivery;
  for (size_t i = 0; i < batch.size(); ++i) {
    const std::string& path = plan.paths[i];
    const bool current = table_.IsCurrent(path, AgeOf(batch[i]));
    // Of an object that must wait only the newest occurrence stays queued, so
    // that a storm does not fill the queue.
    if (!path.empty() && !current &&
        (round.failure || plan.newest.at(path) == i)) {
      break;
    }
    const bool unknown = path.empty() && CanAnnotate(batch[i]);
    if (unknown && round.refusal.empty()) {
      round.refusal = "there is no cluster-scoped object " +
                      std::string(batch[i].kind) + " \"" +
                      std::string(batch[i].object_name) + "\" to annotate";
    }
    if (unknown || (current && table_.IsRefused(path))) ++delivery.refused;
    ++delivery.done;
  }
  delivery.refusal = std::move(round.refusal);
  if (round.failure) {
    delivery.rest = std::move(*round.failure);
  } else if (round.next) {
    delivery.rest = Delivery::Hold{
        std::chrono::ceil<milliseconds>(*round.next - clock_.SteadyNow())};
  }
  return delivery;
}

Annotation AnnotateSink::AnnotationOf(const Occurrence& occurrence) const {
  Annotation annotation;
  annotation.api_version = Find(occurrence)->api_version;
  annotation.kind = occurrence.kind;
  annotation.name = occurrence.object_name;
  if (IsUuid(occurrence.object_uid)) annotation.uid = occurrence.object_uid;
  annotation.text = AnnotationText(occurrence);
  annotation.label = LabelValue(occurrence.reason);
  annotation.until = clock_.WallNow() + options_.label_ttl;
  annotation.age = AgeOf(occurrence);
  return annotation;
}

void AnnotateSink::Send(const std::string& path, const Occurrence& occurrence,
                        const std::stop_token& stop, Round& round) {
  if (round.failed.contains(Collection(path)) ||
      table_.IsCurrent(path, AgeOf(occurrence))) {
    return;
  }
  if (const SteadyTime due = table_.NotBefore(path); round.now < due) {
    round.next = std::min(round.next.value_or(due), due);
    return;
  }
  Annotation annotation = AnnotationOf(occurrence);
  table_.Begin(path, annotation);
  ApiAnswer answer = Apply(path, annotation, stop);
  switch (answer.verdict) {
    case Verdict::kDone:
      table_.Commit(path, std::move(annotation), round.now);
      return;
    case Verdict::kRefused:
      table_.Refuse(path, std::move(annotation), round.now);
      round.refusal = std::move(answer.problem);
      return;
    default:
      table_.Cancel(path);
      round.failure =
          Delivery::Failure{std::move(answer.problem), answer.retry_after};
      round.over = answer.verdict == Verdict::kTryAgain;
      round.failed.insert(Collection(path));
      return;
  }
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
  ApiAnswer answer = SendToApi(*transport_,
                               {.path = path + query_,
                                .body = ApplyBody(annotation, options_.key),
                                .method = "PATCH",
                                .content_type = "application/apply-patch+yaml"},
                               stop);
  if (IsGone(answer)) {
    annotation.label.clear();
    return {.verdict = Verdict::kDone};
  }
  return answer;
}

// kDone without a uid when get is forbidden. The object is still not created: a
// role without get has no create either.
ApiAnswer AnnotateSink::FindUid(const std::string& path, Annotation& annotation,
                                const std::stop_token& stop) {
  if (!may_get_) return {.verdict = Verdict::kDone};
  ApiAnswer answer =
      SendToApi(*transport_,
                {.path = path,
                 .accept = "application/json;as=PartialObjectMetadata;"
                           "g=meta.k8s.io;v=v1",
                 .method = "GET"},
                stop);
  if (answer.verdict == Verdict::kForbidden) {
    may_get_ = false;
    return {.verdict = Verdict::kDone};
  }
  if (answer.verdict != Verdict::kDone) return answer;
  annotation.uid = TextAt(nlohmann::json::parse(answer.body, nullptr, false),
                          "/metadata/uid");
  return answer;
}

void AnnotateSink::Idle(const std::stop_token& stop) {
  if (clock_.SteadyNow() < next_removal_) return;
  next_removal_ = clock_.SteadyNow() + kRemovalInterval;
  for (auto& [path, annotation] : table_.Expired(clock_.WallNow())) {
    const ApiAnswer answer = Apply(path, annotation, stop);
    // It is still in the table for the next start.
    if (stop.stop_requested()) return;
    if (answer.verdict == Verdict::kTryAgain ||
        answer.verdict == Verdict::kForbidden ||
        answer.verdict == Verdict::kConflict) {
      next_removal_ = clock_.SteadyNow() + kRemovalRetry;
      if (!std::exchange(removal_failed_, true)) {
        LogWarn("Removing an expired label failed, retrying",
                {{"sink", options_.sink}, {"problem", answer.problem}});
      }
      return;
    }
    removal_failed_ = false;
    table_.CommitExpired(path, std::move(annotation));
  }
}

milliseconds AnnotateSink::idle_interval() const {
  return std::min<milliseconds>(options_.label_ttl / 4,
                                std::chrono::minutes(1));
}

}  // namespace kem
