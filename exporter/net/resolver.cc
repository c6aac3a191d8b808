#include "net/resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/start_thread.h"
#include "base/unique_fd.h"

namespace kem {
namespace {

HostAddresses AskSystem(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  HostAddresses answer;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    answer.problem = error == EAI_SYSTEM ? SystemMessage(errno)
                                         : std::string(::gai_strerror(error));
    return answer;
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(
      found, ::freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress& address = answer.addresses.emplace_back();
    address.size = std::min<socklen_t>(one->ai_addrlen, sizeof(address.bytes));
    std::memcpy(&address.bytes, one->ai_addr, address.size);
  }
  return answer;
}

}  // namespace

SocketAddress SocketAddress::WithPort(int port) const {
  SocketAddress copy = *this;
  const uint16_t number = htons(static_cast<uint16_t>(port));
  if (bytes.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&copy.bytes)->sin6_port = number;
  } else {
    reinterpret_cast<sockaddr_in*>(&copy.bytes)->sin_port = number;
  }
  return copy;
}

// One look-up.
struct Resolver::Pending {
  // Readable once `finished`.
  const UniqueFd done{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  // Guarded by the mutex of Shared.
  bool finished = false;
  HostAddresses found;
};

struct Resolver::Shared {
  explicit Shared(LookUp function) : look_up(std::move(function)) {}

  const LookUp look_up;
  std::mutex mutex;
  // In progress, or finished and not fetched. Guarded by mutex.
  std::map<std::string, std::shared_ptr<Pending>> by_host;
};

Resolver::Resolver(LookUp look_up)
    : shared_(std::make_shared<Shared>(std::move(look_up))) {}

Resolver::LookUp Resolver::SystemLookUp() {
  return [](const std::string& host) { return AskSystem(host, 0); };
}

// Null, and `problem`, when no look-up can begin.
std::shared_ptr<Resolver::Pending> Resolver::Join(const std::string& host,
                                                  std::string& problem) {
  const std::lock_guard guard(shared_->mutex);
  std::shared_ptr<Pending>& slot = shared_->by_host[host];
  // A failure that no caller fetched is no answer: the network may be back.
  if (slot && !(slot->finished && slot->found.addresses.empty())) return slot;
  const auto pending = std::make_shared<Pending>();
  Result<std::jthread> thread = Error{};
  if (pending->done.has_value()) {
    thread =
        StartThread([shared = shared_, pending, host](const std::stop_token&) {
          HostAddresses found = shared->look_up(host);
          const std::lock_guard lock(shared->mutex);
          pending->found = std::move(found);
          pending->finished = true;
          const uint64_t one = 1;
          // Cannot fail: the counter has room for it.
          [[maybe_unused]] const ssize_t written =
              ::write(pending->done.get(), &one, sizeof(one));
        });
  } else {
    thread = Error{ErrorCode::kInternal, SystemMessage(EMFILE)};
  }
  if (!thread) {
    problem = thread.error().message;
    shared_->by_host.erase(host);
    return nullptr;
  }
  thread->detach();
  return slot = pending;
}

Resolver::Answer Resolver::Resolve(const std::string& host, IoWaiter& waiter) {
  Answer answer;
  answer.host = AskSystem(host, AI_NUMERICHOST);
  if (!answer.host.addresses.empty()) return answer;
  answer.host.problem.clear();
  const std::shared_ptr<Pending> pending = Join(host, answer.host.problem);
  if (!pending) return answer;
  answer.wait = waiter.Wait(pending->done.get(), POLLIN, kLimit);
  if (answer.wait == IoWaiter::Outcome::kTimeout) {
    answer.wait = IoWaiter::Outcome::kReady;
    answer.host.problem =
        "no answer within " + std::to_string(kLimit.count()) + " s";
    return answer;
  }
  if (answer.wait != IoWaiter::Outcome::kReady) return answer;
  const std::lock_guard guard(shared_->mutex);
  answer.host = pending->found;
  const auto slot = shared_->by_host.find(host);
  if (slot != shared_->by_host.end() && slot->second == pending) {
    shared_->by_host.erase(slot);
  }
  return answer;
}

}  // namespace kem
