#include "apiserver/io_waiter.h"

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

// Also bounds the harm when no descriptor was left for the wake-up.
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
  const SteadyTime until = std::min(steady_clock::now() + limit, deadline_);
  while (true) {
    if (stop_.stop_requested()) return Outcome::kStopped;
    const SteadyTime now = steady_clock::now();
    if (now >= deadline_) return Outcome::kDeadline;
    if (now >= until) return Outcome::kTimeout;
    const milliseconds left =
        std::min(std::chrono::ceil<milliseconds>(until - now), kLongestPoll);
    std::array<pollfd, 2> polled = {pollfd{fd, events, 0},
                                    pollfd{wake_.get(), POLLIN, 0}};
    const int ready =
        ::poll(polled.data(), polled.size(), static_cast<int>(left.count()));
    if (ready > 0 && polled[0].revents != 0) return Outcome::kReady;
  }
}

IoWaiter::Outcome IoWaiter::Check() const {
  if (stop_.stop_requested()) return Outcome::kStopped;
  if (steady_clock::now() >= deadline_) return Outcome::kDeadline;
  return Outcome::kReady;
}

}  // namespace kem
