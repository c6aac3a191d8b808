// Waiting for a descriptor, cut short by a stop request and by one deadline for
// all the waits of a request together. Used by Connection, and by RunProgram
// for pipes. Does no input or output itself.
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

  // Waits until `fd` has one of `events` (poll's), an error or a hang-up, but
  // no longer than `limit` (kTimeout). One thread at a time.
  Outcome Wait(int fd, short events, std::chrono::milliseconds limit);

  // As Wait, for the first of several; at most kMaxWaits. Their revents say
  // which it was.
  static constexpr size_t kMaxWaits = 3;
  Outcome Wait(std::span<pollfd> waits, std::chrono::milliseconds limit);

  // As Wait, without waiting: kReady when nothing speaks against going on.
  Outcome Check() const;

 private:
  const std::stop_token stop_;
  const SteadyTime deadline_;
  // Readable once a stop is requested. Outlives on_stop_, whose destructor
  // waits for a callback that is under way.
  const UniqueFd wake_;
  const std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace kem
