// Whether a request's name and password are among the configured ones. bcrypt
// is slow on purpose, 50 ms and more a look, so that it runs on a thread of its
// own, one look at a time, and good ones are remembered. Used by WebGate. Knows
// nothing of HTTP beyond the Authorization header.
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
  kPending,  // Finished() will tell
  kBusy,     // too many wait already
};

class BasicAuth {
 public:
  // Looks that may wait; more would keep guessers' passwords in line before
  // honest ones for seconds.
  static constexpr size_t kMaxWaiting = 32;

  // `wake` is called by the other thread when Finished() has something.
  explicit BasicAuth(std::function<void()> wake);
  // Waits for the look under way, if any.
  ~BasicAuth();

  // Judges an Authorization header's value, empty when there was none. `users`
  // maps names to bcrypt hashes. An unknown name costs what a known one does.
  // For one thread, as Finished.
  Login Check(const std::map<std::string, std::string>& users,
              std::string_view authorization, uint64_t ticket);

  // The tickets that have been looked at since the last call, and how.
  std::vector<std::pair<uint64_t, bool>> Finished();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace kem
