#include "web/http_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// epoll's data; connections are numbered from kFirstId.
constexpr uint64_t kListenerId = 0;
constexpr uint64_t kWakeId = 1;
constexpr uint64_t kFirstId = 2;
// Per turn of the loop.
constexpr size_t kAcceptsATurn = 32;
constexpr size_t kEventsATurn = 64;
constexpr milliseconds kAcceptPause{200};
constexpr milliseconds kLongestPoll{60000};

// Uses at most half of the descriptors that the process may open.
HttpLimits WithinDescriptors(HttpLimits limits) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    limits.connections =
        std::min<size_t>(limits.connections, files.rlim_cur / 2);
  }
  return limits;
}

}  // namespace

HttpLoop::HttpLoop(UniqueFd listener, const HttpServerOptions& options,
                   HttpContent content, HttpStats& stats,
                   std::unique_ptr<WebSettingsFile> settings)
    : router_(options.telemetry_path, std::move(content), stats),
      limits_(WithinDescriptors(options.limits)),
      listener_(std::move(listener)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      last_id_(kFirstId),
      gate_(std::move(settings), limits_.reread, [this] { Wake(); }) {
  Watch(EPOLL_CTL_ADD, kListenerId, listener_.get(), EPOLLIN);
  Watch(EPOLL_CTL_ADD, kWakeId, wake_.get(), EPOLLIN);
}

void HttpLoop::Watch(int operation, uint64_t id, int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  ::epoll_ctl(epoll_.get(), operation, fd, &event);
}

void HttpLoop::Wake() {
  const uint64_t one = 1;
  // Cannot fail: the counter does not overflow.
  [[maybe_unused]] const ssize_t written =
      ::write(wake_.get(), &one, sizeof(one));
}

void HttpLoop::Run(std::stop_token stop) {
  const std::stop_callback on_stop(stop, [this] { Wake(); });
  SteadyTime stop_until = SteadyTime::max();
  std::array<epoll_event, kEventsATurn> events;
  while (true) {
    SteadyTime now = steady_clock::now();
    if (stop.stop_requested()) {
      if (stop_until == SteadyTime::max()) {
        stop_until = now + limits_.stop;
        listener_.Reset();
      }
      std::erase_if(connections_,
                    [](const auto& item) { return !item.second->Answering(); });
      if (connections_.empty() || now >= stop_until) return;
    }
    const int ready = ::epoll_wait(epoll_.get(), events.data(),
                                   static_cast<int>(events.size()),
                                   PollMilliseconds(now, stop_until));
    now = steady_clock::now();
    for (int i = 0; i < ready; ++i) {
      const uint64_t id = events[static_cast<size_t>(i)].data.u64;
      if (id == kListenerId) {
        Accept(now);
      } else if (id == kWakeId) {
        FinishLogins(now);
      } else {
        Advance(id, now);
      }
    }
    DropOverdue(now);
    MakeRoom();
  }
}

void HttpLoop::Accept(SteadyTime now) {
  if (now < accept_after_ || !listener_.has_value()) return;
  for (size_t i = 0; i < kAcceptsATurn; ++i) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.has_value()) {
      Add(std::move(fd), now);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
               errno == ENOMEM) {
      // The listener stays ready: without a pause the loop would spin.
      DropIdleLongest(false);
      accept_after_ = now + kAcceptPause;
      Watch(EPOLL_CTL_MOD, kListenerId, listener_.get(), 0);
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

void HttpLoop::Add(UniqueFd fd, SteadyTime now) {
  const uint64_t id = last_id_++;
  Ssl ssl;
  if (gate_.UsesTls(now)) {
    ssl = gate_.NewSession(fd.get(), now);
    if (!ssl) return;
  }
  auto connection = std::make_unique<ServerConnection>(
      id, ServerSocket(std::move(fd), std::move(ssl)), router_, gate_, limits_,
      now);
  // The request has often arrived already.
  connection->Advance(now);
  if (connection->Over()) return;
  Watch(EPOLL_CTL_ADD, id, connection->fd(), connection->WaitsFor());
  connections_.emplace(id, std::move(connection));
}

void HttpLoop::Advance(uint64_t id, SteadyTime now) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  ServerConnection& connection = *it->second;
  const uint32_t before = connection.WaitsFor();
  connection.Advance(now);
  if (connection.Over()) {
    connections_.erase(it);
  } else if (connection.WaitsFor() != before) {
    Watch(EPOLL_CTL_MOD, id, connection.fd(), connection.WaitsFor());
  }
}

void HttpLoop::FinishLogins(SteadyTime now) {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t read =
      ::read(wake_.get(), &count, sizeof(count));
  for (const auto& [id, admitted] : gate_.FinishedLogins()) {
    const auto it = connections_.find(id);
    if (it == connections_.end()) continue;
    it->second->FinishLogin(admitted, now);
    Advance(id, now);
  }
}

void HttpLoop::MakeRoom() {
  while (connections_.size() > limits_.connections) DropIdleLongest(false);
  const auto answering = static_cast<size_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [](const auto& item) { return item.second->Answering(); }));
  for (size_t i = limits_.answers; i < answering; ++i) DropIdleLongest(true);
}

void HttpLoop::DropIdleLongest(bool answering) {
  auto oldest = connections_.end();
  // Connections of one turn have the same time: the lower number is older.
  const auto age = [](const auto& it) {
    return std::pair(it->second->IdleSince(), it->first);
  };
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    if (it->second->Answering() != answering) continue;
    if (oldest == connections_.end() || age(it) < age(oldest)) oldest = it;
  }
  if (oldest == connections_.end()) oldest = connections_.begin();
  if (oldest == connections_.end()) return;
  oldest->second->Abort();
  connections_.erase(oldest);
}

void HttpLoop::DropOverdue(SteadyTime now) {
  std::erase_if(connections_, [now](const auto& item) {
    if (now < item.second->Deadline()) return false;
    item.second->Abort();
    return true;
  });
  if (accept_after_ != SteadyTime{} && now >= accept_after_ &&
      listener_.has_value()) {
    accept_after_ = {};
    Watch(EPOLL_CTL_MOD, kListenerId, listener_.get(), EPOLLIN);
  }
}

int HttpLoop::PollMilliseconds(SteadyTime now, SteadyTime until) const {
  SteadyTime next = std::min(now + kLongestPoll, until);
  if (accept_after_ != SteadyTime{}) next = std::min(next, accept_after_);
  for (const auto& [id, connection] : connections_) {
    next = std::min(next, connection->Deadline());
  }
  const auto left = std::chrono::ceil<milliseconds>(next - now).count();
  return static_cast<int>(std::max<decltype(left)>(left, 0));
}

}  // namespace kem
