// Checks a request's name and password against the configured users. bcrypt is
// slow on purpose, 50 ms and more per check, so checks run one at a time on a
// thread of its own, and results are remembered. Addresses of clients take
// turns, so that one which guesses passwords delays others by one check. Used
// by WebGate, which cancels what waits too long. Handles nothing of HTTP but
// the Authorization header.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/fair_queue.h"

namespace kem {

enum class Admission {
  kAdmitted,
  kPending,       // BasicAuth::Finished() will return the result
  kUnauthorized,  // 401
  kTooMany,       // 429
  kBusy,          // 503: the request waited too long for its turn
};

class BasicAuth {
 public:
  // Whether a password has the bcrypt hash. Called by the other thread.
  using Matcher =
      std::function<bool(const std::string& password, const std::string& hash)>;
  static bool MatchesBcrypt(const std::string& password,
                            const std::string& hash);

  // `wake` is called by the other thread when Finished() has a result. The
  // destructor waits for the check in progress. Tests replace `matches`.
  explicit BasicAuth(std::function<void()> wake,
                     Matcher matches = MatchesBcrypt);

  // Checks an Authorization header's value, which is empty when absent. `users`
  // maps names to bcrypt hashes. An unknown name takes as long as a known one.
  // Clients of one `group` share its turns. Never kTooMany; kBusy only when no
  // thread can be started. One thread may call Check, Cancel and Finished.
  Admission Check(const std::map<std::string, std::string>& users,
                  std::string_view authorization, const std::string& group,
                  uint64_t ticket);
  // Removes the ticket's check unless it has begun; its result is remembered
  // then, and returned.
  void Cancel(uint64_t ticket);

  // The tickets checked since the last call, and whether they matched.
  std::vector<std::pair<uint64_t, bool>> Finished();

 private:
  struct PendingCheck {
    uint64_t ticket = 0;
    bool known = false;
    std::string hash;
    std::string password;
    std::string digest;
  };

  std::string Digest(bool known, const std::string& name,
                     const std::string& hash,
                     const std::string& password) const;
  // The remembered result.
  std::optional<bool> Recall(const std::string& digest) const;
  void Run(const std::stop_token& stop);

  const std::function<void()> wake_;
  const Matcher matches_;
  std::array<unsigned char, 32> key_{};
  std::mutex mutex_;
  std::condition_variable_any changed_;
  FairQueue<PendingCheck> waiting_;
  std::vector<std::pair<uint64_t, bool>> finished_;
  // Digests of name, hash and password that matched, and that did not: a
  // scraper with a wrong password costs one check. Guesses cannot push out the
  // good ones.
  std::set<std::string> good_;
  std::set<std::string> bad_;
  // Last, so that it ends first. Started by the first check.
  std::jthread thread_;
};

}  // namespace kem
