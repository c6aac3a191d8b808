// When to run discovery for kinds that it did not have: for each kind at once,
// then after 1 s, 2 s, 4 s up to every 10 minutes; for all together as a token
// bucket permits; and after a failure not before its back-off ends. Used by
// ScopeResolver, which runs it.
//
// Not thread-safe: guarded by the ScopeResolver's mutex.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "base/clock.h"

namespace kem {

// An apiVersion and a kind, as an Event names them.
struct KindRef {
  std::string_view api_version;
  std::string_view kind;

  bool operator<(const KindRef& other) const {
    return std::tie(api_version, kind) <
           std::tie(other.api_version, other.kind);
  }
};

class RefreshSchedule {
 public:
  static constexpr std::chrono::seconds kFirstRetry{1};
  static constexpr std::chrono::seconds kLastRetry{600};
  // A writer can invent a kind for each Event: ten requests at once, then one
  // every ten seconds.
  static constexpr int kBurst = 10;
  static constexpr std::chrono::seconds kRefill{10};
  // Unknown kinds that are remembered. Beyond that all are forgotten and start
  // again; the token bucket still applies.
  static constexpr size_t kMaxKinds = 4096;

  // Whether to run discovery now for this unknown kind; true counts as an
  // attempt. Takes no token while a run is `under_way`.
  bool Due(KindRef kind, SteadyTime now, bool under_way);

  // The result of an attempt. Failed returns how long all kinds wait now.
  std::chrono::seconds Failed(SteadyTime now);
  void Succeeded();

  // Removes the kinds that are known now.
  void Forget(const std::function<bool(KindRef)>& is_known);

  size_t size() const { return kinds_.size(); }

 private:
  struct Key {
    std::string api_version;
    std::string kind;

    operator KindRef() const { return {api_version, kind}; }
  };
  struct Less {
    using is_transparent = void;
    bool operator()(KindRef a, KindRef b) const { return a < b; }
  };
  struct Retry {
    SteadyTime next{};
    std::chrono::seconds delay{0};
  };

  bool TakeToken(SteadyTime now);

  std::map<Key, Retry, Less> kinds_;
  // When the token bucket will be full again.
  SteadyTime bucket_full_{};
  std::chrono::seconds failure_delay_{0};
  SteadyTime failed_until_{};
};

}  // namespace kem
