// Checks a request's name and password against the configured users. bcrypt is
// slow on purpose, 50 ms and more per check, so checks run one at a time on a
// thread of its own, and successful ones are remembered. Used by WebGate.
// Handles nothing of HTTP but the Authorization header.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace kem {

enum class Admission {
  kAdmitted,
  kPending,       // BasicAuth::Finished() will return the result
  kUnauthorized,  // 401
  kTooMany,       // 429
  kBusy,          // 503: too many logins are queued
};

class BasicAuth {
 public:
  // Queued checks. With more, a valid login would wait for seconds behind those
  // of an attacker.
  static constexpr size_t kMaxWaiting = 32;

  // `wake` is called by the other thread when Finished() has a result. The
  // destructor waits for the check in progress.
  explicit BasicAuth(std::function<void()> wake);

  // Checks an Authorization header's value, which is empty when absent. `users`
  // maps names to bcrypt hashes. An unknown name takes as long as a known one.
  // Never kTooMany. One thread may call Check and Finished.
  Admission Check(const std::map<std::string, std::string>& users,
                  std::string_view authorization, uint64_t ticket);

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

  std::string Digest(const std::string& name, const std::string& hash,
                     const std::string& password) const;
  void Run(const std::stop_token& stop);

  const std::function<void()> wake_;
  std::array<unsigned char, 32> key_{};
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<PendingCheck> waiting_;
  std::vector<std::pair<uint64_t, bool>> finished_;
  // Digests of name, hash and password that matched.
  std::set<std::string> good_;
  // Last, so that it ends first. Started by the first check.
  std::jthread thread_;
};

}  // namespace kem
