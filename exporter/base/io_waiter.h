// Waits for descriptors until a stop is requested or the one deadline for all
// waits of a request has passed. Used by Connection, and by RunProgram for
// pipes. Does no input or output itself.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <stop_token>

#include "base/clock.h"
#include "base/unique_fd.h"

struct pollfd;

namespace kem {

class IoWaiter {
 public:
  enum class Outcome { kReady, kTimeout, kDeadline, kStopped };

  // `deadline` counts from now.
  IoWaiter(std::stop_token stop, std::chrono::milliseconds deadline);

  // Blocks until `fd` has one of `events` (poll's), an error or a hang-up, at
  // most for `limit` (kTimeout). One thread at a time.
  Outcome Wait(int fd, short events, std::chrono::milliseconds limit);

  // As above for the first of at most kMaxWaits descriptors; sets revents.
  static constexpr size_t kMaxWaits = 3;
  Outcome Wait(std::span<pollfd> waits, std::chrono::milliseconds limit);

  // kStopped, kDeadline or else kReady, without waiting.
  Outcome Check() const;

 private:
  const std::stop_token stop_;
  const SteadyTime deadline_;
  // Readable once a stop is requested. Declared before on_stop_, because its
  // destructor waits for a running callback.
  const UniqueFd wake_;
  const std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace kem
