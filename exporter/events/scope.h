// Whether an Event's object is namespaced or cluster-scoped: the label `scope`.
// Used by the pipeline for each Event. Neither the Event's namespace nor the
// object's decides it: Events of Nodes are in `default` or `kube-system`, and
// some writers set a namespace on Nodes. Does not decide whether the Event may
// be about such an object (EventFilter::Trusts).
//
// Not thread-safe: the caller's mutex guards every call but stats().
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

// The source of a decision, the most reliable first; the label `by`.
enum class ScopeSource : uint8_t { kDiscovery, kTable, kInferred };
inline constexpr std::array<std::string_view, 3> kScopeSourceNames = {
    "discovery", "table", "inferred"};

// The result of discovery; the label `result`. Partial: a group could not be
// read.
enum class RefreshResult : uint8_t { kSuccess, kPartial, kFailed };
inline constexpr std::array<std::string_view, 3> kRefreshResultNames = {
    "success", "partial", "failed"};

struct ScopeDecision {
  Scope scope = Scope::kNamespaced;
  ScopeSource by = ScopeSource::kInferred;
};

// For the exporter's own metrics. Any thread may read it.
struct ScopeStats {
  using Counter = std::atomic<uint64_t>;

  std::array<Counter, kScopeSourceNames.size()> decisions{};
  std::array<Counter, kRefreshResultNames.size()> refreshes{};
};

class ScopeResolver {
 public:
  // Both must outlive this. Has no kinds before the first Refresh.
  ScopeResolver(const Discovery& discovery, const Clock& clock);
  ~ScopeResolver();
  ScopeResolver(const ScopeResolver&) = delete;
  ScopeResolver& operator=(const ScopeResolver&) = delete;

  // Decides for involvedObject.{apiVersion, kind, namespace}. Empty when the
  // kind is unknown and discovery is due (RefreshSchedule): call Refresh, then
  // Resolve. An empty result counts as an attempt. Does not allocate for a kind
  // that it had before.
  std::optional<ScopeDecision> TryResolve(std::string_view api_version,
                                          std::string_view kind,
                                          bool has_object_namespace);

  // Decides with the kinds known now.
  ScopeDecision Resolve(std::string_view api_version, std::string_view kind,
                        bool has_object_namespace);

  // Runs discovery and learns its kinds. Releases `guard`, which holds the
  // caller's mutex, meanwhile, so that a scrape never waits for the network.
  // Blocks for at most Discovery::kTimeLimit; while another call runs, only
  // waits for that one. A failure is counted and logged, and changes no kinds.
  // Call it before the first list as well.
  void Refresh(std::unique_lock<std::mutex>& guard,
               const std::stop_token& stop);

  // Adds kinds. They are never forgotten, because Events outlive their CRD by
  // an hour.
  void Learn(const ApiKinds& found);

  // Whether discovery ever had this cluster-scoped kind.
  bool ServesClusterKind(std::string_view api_group,
                         std::string_view kind) const;
  // The number of calls of Learn.
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
