#include "base/termination.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "base/io_waiter.h"
#include "base/unique_fd.h"

namespace kem {
namespace {

constexpr std::chrono::hours kForever{24 * 365};

}  // namespace

TerminationSignals::TerminationSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

void TerminationSignals::Unblock() const {
  pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
}

int TerminationSignals::Wait() const {
  int signal = 0;
  while (sigwait(&signals_, &signal) != 0) {
  }
  return signal;
}

std::optional<int> TerminationSignals::Wait(std::stop_token stop) const {
  const UniqueFd fd(::signalfd(-1, &signals_, SFD_CLOEXEC));
  IoWaiter waiter(std::move(stop), kForever);
  signalfd_siginfo signal{};
  if (waiter.Wait(fd.get(), POLLIN, kForever) != IoWaiter::Outcome::kReady ||
      ::read(fd.get(), &signal, sizeof(signal)) != sizeof(signal)) {
    return std::nullopt;
  }
  return static_cast<int>(signal.ssi_signo);
}

}  // namespace kem
