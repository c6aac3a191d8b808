#include "events/scope.h"

#include <algorithm>
#include <condition_variable>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "events/cluster_kinds.h"
#include "events/discovery.h"
#include "events/refresh_schedule.h"

namespace kem {
namespace {

// The longest that an API server can serve: CustomResourceDefinitions must use
// DNS labels and subdomains.
constexpr size_t kMaxKind = 63;
constexpr size_t kMaxApiVersion = 253 + 1 + 63;

// One apiVersion under which a kind is served.
struct Served {
  std::string api_version;
  Scope scope;
  // Two resources share apiVersion and kind and differ in scope.
  bool mixed;
  uint64_t learned;
};

struct KindHash {
  using is_transparent = void;
  size_t operator()(std::string_view kind) const {
    return std::hash<std::string_view>()(kind);
  }
};

// Cheaper than fetch_add, and sufficient because the caller's mutex is held.
void Increment(ScopeStats::Counter& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1,
                std::memory_order_relaxed);
}

// The scope of several versions of a kind; empty when they disagree.
class Agreement {
 public:
  void Add(const Served& served) {
    disagree_ =
        disagree_ || served.mixed || (scope_ && *scope_ != served.scope);
    scope_ = served.scope;
  }
  std::optional<Scope> Agreed() const {
    return disagree_ ? std::nullopt : scope_;
  }

 private:
  std::optional<Scope> scope_;
  bool disagree_ = false;
};

// Logs the result of discovery; empty after a stop.
std::optional<RefreshResult> Report(const Result<ApiKinds>& found) {
  if (!found) {
    if (found.error().code == ErrorCode::kCancelled) return std::nullopt;
    LogWarn("Discovery failed", {{"error", found.error().message}});
    return RefreshResult::kFailed;
  }
  if (found->skipped.empty()) {
    LogInfo("Discovered kinds", {{"kinds", found->kinds.size()}});
    return RefreshResult::kSuccess;
  }
  LogInfo("Discovered kinds", {{"kinds", found->kinds.size()},
                               {"skipped", found->skipped.size()},
                               {"first_skipped", found->skipped.front()}});
  return RefreshResult::kPartial;
}

}  // namespace

struct ScopeResolver::Memory {
  std::unordered_map<std::string, std::vector<Served>, KindHash,
                     std::equal_to<>>
      known;
  uint64_t lessons = 0;
  RefreshSchedule schedule;
  bool refreshing = false;
  std::condition_variable_any refreshed;
};

struct ScopeResolver::Verdict {
  std::optional<Scope> scope;
  ScopeSource by = ScopeSource::kInferred;
  // Discovery cannot improve it.
  bool settled = false;
};

ScopeResolver::ScopeResolver(const Discovery& discovery, const Clock& clock)
    : discovery_(discovery),
      clock_(clock),
      memory_(std::make_unique<Memory>()) {}

ScopeResolver::~ScopeResolver() = default;

ScopeResolver::Verdict ScopeResolver::Judge(std::string_view api_version,
                                            std::string_view kind) const {
  // No API server serves such a kind.
  const bool impossible = kind.empty() || kind.size() > kMaxKind ||
                          api_version.size() > kMaxApiVersion;
  Verdict verdict{std::nullopt, ScopeSource::kInferred, impossible};
  const auto found = memory_->known.find(kind);
  if (found != memory_->known.end()) {
    Agreement same_group;
    Agreement all;
    for (const Served& served : found->second) {
      if (served.api_version == api_version && !served.mixed) {
        return {served.scope, ScopeSource::kDiscovery, true};
      }
      if (ApiGroup(served.api_version) == ApiGroup(api_version)) {
        same_group.Add(served);
        // A version that is no longer served has the scope of the others.
        verdict.settled = true;
      }
      all.Add(served);
    }
    verdict.settled = verdict.settled || api_version.empty();
    const bool other_version = !api_version.empty() && same_group.Agreed();
    if (other_version) {
      verdict.scope = same_group.Agreed();
    } else if (ApiGroup(api_version).empty()) {
      // Writers leave the group out. One that they name is no other group.
      verdict.scope = all.Agreed();
    }
    if (verdict.scope) {
      verdict.by = ScopeSource::kDiscovery;
      return verdict;
    }
  }
  if (IsBuiltInClusterKind(api_version, kind)) {
    verdict.scope = Scope::kCluster;
    verdict.by = ScopeSource::kTable;
  } else if (IsBuiltInNamespacedKind(api_version, kind)) {
    verdict.scope = Scope::kNamespaced;
    verdict.by = ScopeSource::kTable;
  }
  return verdict;
}

ScopeDecision ScopeResolver::Decide(const Verdict& verdict,
                                    bool has_object_namespace) {
  ScopeDecision decision;
  decision.by = verdict.by;
  decision.scope = verdict.scope.value_or(
      has_object_namespace ? Scope::kNamespaced : Scope::kCluster);
  Increment(stats_.decisions[static_cast<size_t>(decision.by)]);
  return decision;
}

std::optional<ScopeDecision> ScopeResolver::TryResolve(
    std::string_view api_version, std::string_view kind,
    bool has_object_namespace) {
  const Verdict verdict = Judge(api_version, kind);
  if (!verdict.settled &&
      memory_->schedule.Due({api_version, kind}, clock_.SteadyNow(),
                            memory_->refreshing)) {
    return std::nullopt;
  }
  return Decide(verdict, has_object_namespace);
}

ScopeDecision ScopeResolver::Resolve(std::string_view api_version,
                                     std::string_view kind,
                                     bool has_object_namespace) {
  return Decide(Judge(api_version, kind), has_object_namespace);
}

void ScopeResolver::Refresh(std::unique_lock<std::mutex>& guard,
                            const std::stop_token& stop) {
  Memory& memory = *memory_;
  if (memory.refreshing) {
    memory.refreshed.wait(guard, stop, [&] { return !memory.refreshing; });
    return;
  }
  memory.refreshing = true;
  guard.unlock();
  const Result<ApiKinds> found = discovery_.Fetch(stop);
  const std::optional<RefreshResult> result = Report(found);
  guard.lock();
  memory.refreshing = false;
  memory.refreshed.notify_all();
  if (!result) return;
  Increment(stats_.refreshes[static_cast<size_t>(*result)]);
  if (!found) {
    memory.schedule.Failed(clock_.SteadyNow());
    return;
  }
  memory.schedule.Succeeded();
  Learn(*found);
}

void ScopeResolver::Learn(const ApiKinds& found) {
  const uint64_t lesson = ++memory_->lessons;
  for (const ApiKind& one : found.kinds) {
    const Scope scope = one.namespaced ? Scope::kNamespaced : Scope::kCluster;
    std::vector<Served>& versions = memory_->known[one.kind];
    const auto served = std::find_if(
        versions.begin(), versions.end(),
        [&](const Served& s) { return s.api_version == one.api_version; });
    if (served == versions.end()) {
      versions.push_back({one.api_version, scope, false, lesson});
      continue;
    }
    const bool again = served->learned == lesson;
    served->mixed = again && (served->mixed || served->scope != scope);
    served->scope = scope;
    served->learned = lesson;
  }
  memory_->schedule.Forget([this](KindRef kind) {
    return Judge(kind.api_version, kind.kind).settled;
  });
}

bool ScopeResolver::ServesClusterKind(std::string_view api_group,
                                      std::string_view kind) const {
  const auto found = memory_->known.find(kind);
  if (found == memory_->known.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(),
                     [&](const Served& served) {
                       return ApiGroup(served.api_version) == api_group &&
                              served.scope == Scope::kCluster;
                     });
}

uint64_t ScopeResolver::lessons() const { return memory_->lessons; }

}  // namespace kem
