// When to ask the API server about kinds it did not name: at once, then after
// 1 s, 2 s, 4 s ... to every 10 minutes for each kind; no more often than a
// token bucket lets through for all of them; and after a failure only once its
// own back-off is over. Used by ScopeResolver. Does not ask itself.
//
// Thread-compatible: guarded by whoever guards the ScopeResolver.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace kem {

// An apiVersion and a kind, as an Event names them.
struct KindRef {
  std::string_view api_version;
  std::string_view kind;

  bool operator==(const KindRef&) const = default;
};

class RefreshSchedule {
 public:
  static constexpr std::chrono::seconds kFirstRetry{1};
  static constexpr std::chrono::seconds kLastRetry{600};
  // Writers may make up a kind per Event: ten questions at once, then one
  // each ten seconds.
  static constexpr int kBurst = 10;
  static constexpr std::chrono::seconds kRefill{10};
  // How many unknown kinds are remembered. Past it all are forgotten and start
  // anew; the token bucket holds all the same.
  static constexpr size_t kMaxKinds = 4096;

  // Whether to ask now because of this unknown kind; true counts as an
  // attempt. Asking costs no token while an answer is `under_way`.
  bool Due(KindRef kind, SteadyTime now, bool under_way);

  // How the attempt ended. Failed returns how long everybody waits now.
  std::chrono::seconds Failed(SteadyTime now);
  void Succeeded();

  // Drops the kinds that are unknown no longer.
  void Forget(const std::function<bool(KindRef)>& is_known);

  size_t size() const { return kinds_.size(); }

 private:
  struct Key {
    std::string api_version;
    std::string kind;

    operator KindRef() const { return {api_version, kind}; }
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(KindRef ref) const;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(KindRef a, KindRef b) const { return a == b; }
  };
  struct Retry {
    SteadyTime next{};
    std::chrono::seconds delay{0};
  };

  bool TakeToken(SteadyTime now);

  std::unordered_map<Key, Retry, Hash, Equal> kinds_;
  // When the token bucket will be full again.
  SteadyTime bucket_full_{};
  std::chrono::seconds failure_delay_{0};
  SteadyTime failed_until_{};
};

}  // namespace kem
