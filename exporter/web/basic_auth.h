// Checks a request's name and password against the configured users. bcrypt is
// slow on purpose, 50 ms and more per check, so checks run one at a time on a
// thread of its own, and successful ones are remembered. Used by WebGate.
// Handles nothing of HTTP but the Authorization header.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kem {

enum class Login {
  kGood,
  kBad,
  kPending,  // Finished() will return the result
  kBusy,     // too many checks are queued
};

class BasicAuth {
 public:
  // Queued checks. With more, a valid login would wait for seconds behind those
  // of an attacker.
  static constexpr size_t kMaxWaiting = 32;

  // `wake` is called by the other thread when Finished() has a result.
  explicit BasicAuth(std::function<void()> wake);
  // Waits for the check in progress.
  ~BasicAuth();

  // Checks an Authorization header's value, which is empty when absent. `users`
  // maps names to bcrypt hashes. An unknown name takes as long as a known one.
  // One thread may call Check and Finished.
  Login Check(const std::map<std::string, std::string>& users,
              std::string_view authorization, uint64_t ticket);

  // The tickets checked since the last call, and whether they matched.
  std::vector<std::pair<uint64_t, bool>> Finished();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace kem
