#include "events/scope.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "events/discovery.h"

namespace kem {
namespace {

using std::chrono::seconds;

// No kind that an API server serves has a longer name, nor its group and
// version: CustomResourceDefinitions are held to DNS labels and subdomains.
constexpr size_t kMaxKind = 63;
constexpr size_t kMaxApiVersion = 253 + 1 + 63;

struct TableRow {
  std::string_view kind;
  std::string_view group;
};

// The cluster-scoped kinds of Kubernetes 1.37 (api/discovery of its source),
// by kind. Used while discovery cannot answer.
constexpr std::string_view kAdmission = "admissionregistration.k8s.io";
constexpr std::string_view kAuthentication = "authentication.k8s.io";
constexpr std::string_view kAuthorization = "authorization.k8s.io";
constexpr std::string_view kFlowControl = "flowcontrol.apiserver.k8s.io";
constexpr std::array<TableRow, 39> kTable = {{
    {"APIService", "apiregistration.k8s.io"},
    {"CSIDriver", "storage.k8s.io"},
    {"CSINode", "storage.k8s.io"},
    {"CertificateSigningRequest", "certificates.k8s.io"},
    {"ClusterRole", "rbac.authorization.k8s.io"},
    {"ClusterRoleBinding", "rbac.authorization.k8s.io"},
    {"ClusterTrustBundle", "certificates.k8s.io"},
    {"ComponentStatus", ""},
    {"CustomResourceDefinition", "apiextensions.k8s.io"},
    {"DeviceClass", "resource.k8s.io"},
    {"DeviceTaintRule", "resource.k8s.io"},
    {"FlowSchema", kFlowControl},
    {"IPAddress", "networking.k8s.io"},
    {"IngressClass", "networking.k8s.io"},
    {"MutatingAdmissionPolicy", kAdmission},
    {"MutatingAdmissionPolicyBinding", kAdmission},
    {"MutatingWebhookConfiguration", kAdmission},
    {"Namespace", ""},
    {"Node", ""},
    {"PersistentVolume", ""},
    {"PriorityClass", "scheduling.k8s.io"},
    {"PriorityLevelConfiguration", kFlowControl},
    {"ResourcePoolStatusRequest", "resource.k8s.io"},
    {"ResourceSlice", "resource.k8s.io"},
    {"RuntimeClass", "node.k8s.io"},
    {"SelfSubjectAccessReview", kAuthorization},
    {"SelfSubjectReview", kAuthentication},
    {"SelfSubjectRulesReview", kAuthorization},
    {"ServiceCIDR", "networking.k8s.io"},
    {"StorageClass", "storage.k8s.io"},
    {"StorageVersion", "internal.apiserver.k8s.io"},
    {"StorageVersionMigration", "storagemigration.k8s.io"},
    {"SubjectAccessReview", kAuthorization},
    {"TokenReview", kAuthentication},
    {"ValidatingAdmissionPolicy", kAdmission},
    {"ValidatingAdmissionPolicyBinding", kAdmission},
    {"ValidatingWebhookConfiguration", kAdmission},
    {"VolumeAttachment", "storage.k8s.io"},
    {"VolumeAttributesClass", "storage.k8s.io"},
}};
static_assert(std::is_sorted(kTable.begin(), kTable.end(),
                             [](const TableRow& a, const TableRow& b) {
                               return a.kind < b.kind;
                             }));

// A kind of the same name in somebody else's group says nothing, so the group
// must fit when the Event gives one.
bool TableSaysCluster(std::string_view api_version, std::string_view kind) {
  const auto row = std::lower_bound(
      kTable.begin(), kTable.end(), kind,
      [](const TableRow& a, std::string_view b) { return a.kind < b; });
  return row != kTable.end() && row->kind == kind &&
         (api_version.empty() || row->group == ApiGroup(api_version));
}

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

struct UnknownKey {
  std::string api_version;
  std::string kind;
};

struct UnknownRef {
  std::string_view api_version;
  std::string_view kind;

  UnknownRef(std::string_view a, std::string_view k)
      : api_version(a), kind(k) {}
  UnknownRef(const UnknownKey& key)
      : api_version(key.api_version), kind(key.kind) {}
};

struct UnknownHash {
  using is_transparent = void;
  size_t operator()(const UnknownRef& ref) const {
    return KindHash()(ref.api_version) * 31 + KindHash()(ref.kind);
  }
};

struct UnknownEqual {
  using is_transparent = void;
  bool operator()(const UnknownRef& a, const UnknownRef& b) const {
    return a.kind == b.kind && a.api_version == b.api_version;
  }
};

struct Retry {
  SteadyTime next{};
  seconds delay{0};
};

// 1 s, 2 s, 4 s ... 10 minutes.
seconds NextDelay(seconds delay) {
  return std::clamp(delay * 2, ScopeResolver::kFirstRetry,
                    ScopeResolver::kLastRetry);
}

// The writer holds the caller's mutex, so no read-modify-write is needed.
void Increment(ScopeStats::Counter& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1,
                std::memory_order_relaxed);
}

// What several versions of a kind say together; empty when they disagree.
class Agreement {
 public:
  void Add(const Served& served) {
    disagree_ =
        disagree_ || served.mixed || (scope_ && *scope_ != served.scope);
    scope_ = served.scope;
  }
  std::optional<Scope> scope() const {
    return disagree_ ? std::nullopt : scope_;
  }

 private:
  std::optional<Scope> scope_;
  bool disagree_ = false;
};

}  // namespace

struct ScopeResolver::Memory {
  std::unordered_map<std::string, std::vector<Served>, KindHash,
                     std::equal_to<>>
      known;
  std::unordered_map<UnknownKey, Retry, UnknownHash, UnknownEqual> unknown;
  uint64_t lessons = 0;
};

struct ScopeResolver::Verdict {
  std::optional<Scope> scope;
  ScopeSource by = ScopeSource::kInferred;
  // Discovery could not say it any better.
  bool settled = false;
};

std::string_view ApiGroup(std::string_view api_version) {
  const size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view()
                                         : api_version.substr(0, slash);
}

ScopeResolver::ScopeResolver(const Discovery& discovery, const Clock& clock)
    : discovery_(discovery),
      clock_(clock),
      memory_(std::make_unique<Memory>()) {}

ScopeResolver::~ScopeResolver() = default;

ScopeResolver::Verdict ScopeResolver::Judge(std::string_view api_version,
                                            std::string_view kind) const {
  // Nothing served is called so: an empty involvedObject, or made up.
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
        // A version no longer served is as good as its sisters.
        verdict.settled = true;
      }
      all.Add(served);
    }
    verdict.settled = verdict.settled || api_version.empty();
    const bool other_version = !api_version.empty() && same_group.scope();
    verdict.scope = other_version ? same_group.scope() : all.scope();
    if (verdict.scope) {
      verdict.by = ScopeSource::kDiscovery;
      return verdict;
    }
  }
  if (TableSaysCluster(api_version, kind)) {
    verdict.scope = Scope::kCluster;
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
  decision.conflict = decision.scope == Scope::kCluster && has_object_namespace;
  Increment(stats_.decisions[static_cast<size_t>(decision.by)]);
  if (decision.conflict) Increment(stats_.conflicts);
  return decision;
}

std::optional<ScopeDecision> ScopeResolver::TryResolve(
    std::string_view api_version, std::string_view kind,
    bool has_object_namespace) {
  const Verdict verdict = Judge(api_version, kind);
  if (!verdict.settled && RefreshIsDue(api_version, kind)) return std::nullopt;
  return Decide(verdict, has_object_namespace);
}

ScopeDecision ScopeResolver::Resolve(std::string_view api_version,
                                     std::string_view kind,
                                     bool has_object_namespace) {
  return Decide(Judge(api_version, kind), has_object_namespace);
}

bool ScopeResolver::RefreshIsDue(std::string_view api_version,
                                 std::string_view kind) {
  auto& unknown = memory_->unknown;
  auto entry = unknown.find(UnknownRef(api_version, kind));
  if (entry == unknown.end()) {
    // Only made-up kinds come in such numbers. Their back-off starts anew; the
    // token bucket still holds.
    if (unknown.size() >= kMaxUnknown) unknown.clear();
    entry =
        unknown
            .emplace(UnknownKey{std::string(api_version), std::string(kind)},
                     Retry{})
            .first;
  }
  const SteadyTime now = clock_.SteadyNow();
  Retry& retry = entry->second;
  if (now < retry.next || now < failed_until_) return false;
  // One that is under way costs nothing more.
  if (!refreshing_ && !TakeToken(now)) return false;
  retry.delay = NextDelay(retry.delay);
  retry.next = now + retry.delay;
  return true;
}

bool ScopeResolver::TakeToken(SteadyTime now) {
  const SteadyTime full = std::max(bucket_full_, now);
  if (full - now > kRefill * (kBurst - 1)) return false;
  bucket_full_ = full + kRefill;
  return true;
}

void ScopeResolver::Refresh(std::unique_lock<std::mutex>& guard,
                            std::stop_token stop) {
  if (refreshing_) {
    refreshed_.wait(guard, stop, [this] { return !refreshing_; });
    return;
  }
  refreshing_ = true;
  guard.unlock();
  const Result<ApiKinds> found = discovery_.Fetch(stop);
  guard.lock();
  refreshing_ = false;
  refreshed_.notify_all();
  if (!found) {
    if (found.error().code == ErrorCode::kCancelled) return;
    failure_delay_ = NextDelay(failure_delay_);
    failed_until_ = clock_.SteadyNow() + failure_delay_;
    Increment(stats_.refreshes[static_cast<size_t>(RefreshResult::kFailed)]);
    LogWarn("Discovery failed", {{"error", found.error().message},
                                 {"retry_seconds", failure_delay_.count()}});
    return;
  }
  failure_delay_ = seconds(0);
  failed_until_ = SteadyTime{};
  const bool partial = !found->skipped.empty();
  Increment(stats_.refreshes[static_cast<size_t>(
      partial ? RefreshResult::kPartial : RefreshResult::kSuccess)]);
  Learn(*found);
  LogInfo("Discovered kinds",
          {{"kinds", found->kinds.size()},
           {"skipped", found->skipped.size()},
           {"first_skipped", partial ? found->skipped.front() : ""}});
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
  std::erase_if(memory_->unknown, [this](const auto& entry) {
    return Judge(entry.first.api_version, entry.first.kind).settled;
  });
}

size_t ScopeResolver::unknown_kinds() const { return memory_->unknown.size(); }

}  // namespace kem
