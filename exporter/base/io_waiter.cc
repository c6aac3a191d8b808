#include "base/io_waiter.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Bounds the delay of a stop when eventfd failed.
constexpr milliseconds kLongestPoll{60000};

}  // namespace

IoWaiter::IoWaiter(std::stop_token stop, milliseconds deadline)
    : stop_(std::move(stop)),
      deadline_(steady_clock::now() + deadline),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      on_stop_(stop_, [this] {
        const uint64_t one = 1;
        // Cannot fail: the counter has room for it.
        [[maybe_unused]] const ssize_t written =
            ::write(wake_.get(), &one, sizeof(one));
      }) {}

IoWaiter::Outcome IoWaiter::Wait(int fd, short events, milliseconds limit) {
  pollfd wait{fd, events, 0};
  return Wait({&wait, 1}, limit);
}

IoWaiter::Outcome IoWaiter::Wait(std::span<pollfd> waits, milliseconds limit) {
  const SteadyTime until = std::min(steady_clock::now() + limit, deadline_);
  std::array<pollfd, kMaxWaits + 1> polled{};
  const size_t count = std::min(waits.size(), kMaxWaits);
  while (true) {
    if (stop_.stop_requested()) return Outcome::kStopped;
    const SteadyTime now = steady_clock::now();
    if (now >= deadline_) return Outcome::kDeadline;
    if (now >= until) return Outcome::kTimeout;
    const milliseconds left =
        std::min(std::chrono::ceil<milliseconds>(until - now), kLongestPoll);
    for (size_t i = 0; i < count; ++i) {
      polled[i] = pollfd{waits[i].fd, waits[i].events, 0};
    }
    polled[count] = pollfd{wake_.get(), POLLIN, 0};
    ::poll(polled.data(), count + 1, static_cast<int>(left.count()));
    bool ready = false;
    for (size_t i = 0; i < count; ++i) {
      waits[i].revents = polled[i].revents;
      ready = ready || polled[i].revents != 0;
    }
    if (ready) return Outcome::kReady;
  }
}

IoWaiter::Outcome IoWaiter::Check() const {
  if (stop_.stop_requested()) return Outcome::kStopped;
  if (steady_clock::now() >= deadline_) return Outcome::kDeadline;
  return Outcome::kReady;
}

}  // namespace kem
