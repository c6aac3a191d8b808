// Tells whether the object an Event is about lives in a namespace or belongs
// to the whole cluster: the label `scope`. The pipeline asks once a frame.
// Neither the namespace the Event sits in nor the object's own alone says so:
// Events on Nodes sit in `default` or `kube-system`, and some writers set a
// namespace on Nodes. It does not read Events itself.
//
// Externally synchronised: the caller's mutex guards every call but stats().
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>

#include "base/clock.h"

namespace kem {

struct ApiKinds;
class Discovery;

enum class Scope : uint8_t { kCluster, kNamespaced };

// What the decision rests on, surest first; the label `by`.
enum class ScopeSource : uint8_t { kDiscovery, kTable, kInferred };
inline constexpr std::array<std::string_view, 3> kScopeSourceNames = {
    "discovery", "table", "inferred"};

// How asking the API server went; the label `result`. Partial: some group
// could not be read.
enum class RefreshResult : uint8_t { kSuccess, kPartial, kFailed };
inline constexpr std::array<std::string_view, 3> kRefreshResultNames = {
    "success", "partial", "failed"};

struct ScopeDecision {
  Scope scope = Scope::kNamespaced;
  ScopeSource by = ScopeSource::kInferred;
  // A cluster-scoped kind whose Event names a namespace for its object. The
  // namespace is the writer's mistake.
  bool conflict = false;
};

// For our own metrics. Read by any thread.
struct ScopeStats {
  using Counter = std::atomic<uint64_t>;

  std::array<Counter, kScopeSourceNames.size()> decisions{};
  std::array<Counter, kRefreshResultNames.size()> refreshes{};
  Counter conflicts{0};
};

class ScopeResolver {
 public:
  // Both must outlive this. Knows nothing until the first Refresh.
  ScopeResolver(const Discovery& discovery, const Clock& clock);
  ~ScopeResolver();
  ScopeResolver(const ScopeResolver&) = delete;
  ScopeResolver& operator=(const ScopeResolver&) = delete;

  // Decides for involvedObject.{apiVersion, kind, namespace}. Empty when the
  // kind is unknown and the API server is to be asked now (RefreshSchedule
  // says when): call Refresh, then Resolve. Each empty answer counts as an
  // attempt. Does not allocate for a kind it has met before.
  std::optional<ScopeDecision> TryResolve(std::string_view api_version,
                                          std::string_view kind,
                                          bool has_object_namespace);

  // The same from what is known now.
  ScopeDecision Resolve(std::string_view api_version, std::string_view kind,
                        bool has_object_namespace);

  // Asks the API server and learns the answer. `guard` holds the caller's
  // mutex and is released meanwhile, so that a scrape never waits for the
  // network; what it guards may have changed on return. Blocks for at most
  // Discovery::kTimeLimit; a call while another one is busy waits for that
  // one instead. Failure is counted and logged, and what was known stays.
  // To be called before the first list too.
  void Refresh(std::unique_lock<std::mutex>& guard,
               const std::stop_token& stop);

  // Adds to what is known. Kinds are never forgotten: Events outlive their
  // CRD by an hour.
  void Learn(const ApiKinds& found);

  // Whether discovery ever told of this cluster-scoped kind.
  bool ServesClusterKind(std::string_view api_group,
                         std::string_view kind) const;
  // How often something was learnt.
  uint64_t lessons() const;

  // Thread-safe.
  const ScopeStats& stats() const { return stats_; }

 private:
  struct Verdict;
  struct Memory;

  Verdict Judge(std::string_view api_version, std::string_view kind) const;
  ScopeDecision Decide(const Verdict& verdict, bool has_object_namespace);

  const Discovery& discovery_;
  const Clock& clock_;
  std::unique_ptr<Memory> memory_;
  ScopeStats stats_;
};

}  // namespace kem
