#include "web/http_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

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
// Between two looks at how much clients read, while others wait.
constexpr milliseconds kStallPoll{50};

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
    : router_(options.telemetry_path, std::move(content)),
      limits_(WithinDescriptors(options.limits)),
      listener_(std::move(listener)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      last_id_(kFirstId),
      turns_(limits_.answers),
      query_turns_(limits_.queries),
      gate_(std::move(settings), limits_.reread, [this] { Wake(); }),
      queries_([this] { Wake(); }),
      parts_{router_, stats, gate_, turns_, query_turns_, queries_, limits_} {
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
      for (auto it = connections_.begin(); it != connections_.end();) {
        const auto next = std::next(it);
        if (!it->second->Answering() && !it->second->Querying()) Remove(it);
        it = next;
      }
      if (connections_.empty() || now >= stop_until) break;
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
        TakeFinished(now);
      } else {
        Handle(id, events[static_cast<size_t>(i)].events, now);
      }
    }
    ExpireOverdue(now);
    PassTurns(turns_, now);
    PassTurns(query_turns_, now);
    while (connections_.size() > limits_.connections) DropOne();
  }
  for (const auto& [id, connection] : connections_) {
    connection->Abort("the server stops");
  }
}

void HttpLoop::Accept(SteadyTime now) {
  if (now < accept_after_ || !listener_.has_value()) return;
  for (size_t i = 0; i < kAcceptsATurn; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof(from);
    UniqueFd fd(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from),
                          &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.has_value()) {
      Add(std::move(fd), MakeClientAddress(from), now);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
               errno == ENOMEM) {
      // The listener stays ready: without a pause the loop would spin.
      DropOne();
      accept_after_ = now + kAcceptPause;
      Watch(EPOLL_CTL_MOD, kListenerId, listener_.get(), 0);
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

void HttpLoop::Add(UniqueFd fd, ClientAddress client, SteadyTime now) {
  const uint64_t id = last_id_++;
  Ssl ssl;
  if (gate_.UsesTls(now)) {
    ssl = gate_.NewSession(fd.get(), now);
    if (!ssl) return;
  }
  auto connection = std::make_unique<ServerConnection>(
      id, std::move(client), ServerSocket(std::move(fd), std::move(ssl)),
      parts_, now);
  // The request has often arrived already.
  connection->Advance(now);
  Watch(EPOLL_CTL_ADD, id, connection->fd(), connection->WaitsFor());
  const auto it = connections_.emplace(id, std::move(connection)).first;
  if (it->second->Over()) Remove(it);
}

void HttpLoop::Remove(Connections::iterator it) {
  gate_.CancelLogin(it->first);
  turns_.Leave(it->first);
  query_turns_.Leave(it->first);
  queries_.Cancel(it->first);
  connections_.erase(it);
}

void HttpLoop::Advance(uint64_t id, SteadyTime now,
                       const std::function<void(ServerConnection&)>& change) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  ServerConnection& connection = *it->second;
  const uint32_t before = connection.WaitsFor();
  if (change) change(connection);
  connection.Advance(now);
  if (connection.Over()) {
    Remove(it);
  } else if (connection.WaitsFor() != before) {
    Watch(EPOLL_CTL_MOD, id, connection.fd(), connection.WaitsFor());
  }
}

void HttpLoop::Handle(uint64_t id, uint32_t events, SteadyTime now) {
  Advance(id, now, [events](ServerConnection& connection) {
    const bool hung_up = (events & (EPOLLHUP | EPOLLERR)) != 0;
    if (hung_up && connection.Waiting()) connection.Abort("hung up");
  });
}

void HttpLoop::TakeFinished(SteadyTime now) {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t read =
      ::read(wake_.get(), &count, sizeof(count));
  for (const auto& [id, admitted] : gate_.FinishedLogins()) {
    Advance(id, now, [admitted = admitted, now](ServerConnection& connection) {
      connection.FinishLogin(admitted, now);
    });
  }
  for (auto& [id, answer] : queries_.Finished()) {
    Advance(id, now, [&answer = answer, now](ServerConnection& connection) {
      connection.FinishQuery(std::move(answer), now);
    });
  }
}

void HttpLoop::PassTurns(AnswerTurns& turns, SteadyTime now) {
  CutStalled(turns, now);
  // Clients of small answers may ask again at once: they get no more turns
  // before others were served.
  for (size_t i = 0; i < limits_.answers && turns.HasNext(); ++i) {
    Advance(turns.Next(), now,
            [now](ServerConnection& next) { next.TakeTurn(now); });
  }
}

void HttpLoop::CutStalled(const AnswerTurns& turns, SteadyTime now) {
  if (turns.waiting() == 0) return;
  std::vector<std::pair<SteadyTime::duration, uint64_t>> stalled;
  for (const uint64_t id : turns.active()) {
    const auto time = connections_.at(id)->Stalled(now);
    if (time > limits_.stall) stalled.emplace_back(time, id);
  }
  std::sort(stalled.begin(), stalled.end(), std::greater<>());
  stalled.resize(std::min(stalled.size(), turns.waiting()));
  for (const auto& [time, id] : stalled) {
    Advance(id, now, [](ServerConnection& connection) {
      connection.Abort("the client stalls while others wait");
    });
  }
}

// Of the address with the most connections: the one that is idle longest when
// most of them are idle, else the newest of those that wait or are answered.
void HttpLoop::DropOne() {
  std::map<std::string_view, size_t> counts;
  for (const auto& [id, connection] : connections_) {
    ++counts[connection->client().group];
  }
  const auto most = std::max_element(
      counts.begin(), counts.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == counts.end()) return;
  const auto none = connections_.end();
  auto idle = none;
  auto busy = none;
  size_t idle_count = 0;
  // Connections of one turn have the same time: the lower number is older.
  const auto age = [](const auto& it) {
    return std::pair(it->second->IdleSince(), it->first);
  };
  for (auto it = connections_.begin(); it != none; ++it) {
    if (it->second->client().group != most->first) continue;
    if (it->second->Waiting() || it->second->Answering()) {
      if (busy == none || it->first > busy->first) busy = it;
    } else {
      ++idle_count;
      if (idle == none || age(it) < age(idle)) idle = it;
    }
  }
  const auto drop = 2 * idle_count >= most->second ? idle : busy;
  drop->second->Abort("there are too many connections");
  Remove(drop);
}

void HttpLoop::ExpireOverdue(SteadyTime now) {
  std::vector<uint64_t> overdue;
  for (const auto& [id, connection] : connections_) {
    if (now >= connection->Deadline()) overdue.push_back(id);
  }
  for (const uint64_t id : overdue) {
    Advance(id, now,
            [now](ServerConnection& connection) { connection.Expire(now); });
  }
  if (accept_after_ != SteadyTime{} && now >= accept_after_ &&
      listener_.has_value()) {
    accept_after_ = {};
    Watch(EPOLL_CTL_MOD, kListenerId, listener_.get(), EPOLLIN);
  }
}

int HttpLoop::PollMilliseconds(SteadyTime now, SteadyTime until) const {
  SteadyTime next = std::min(now + kLongestPoll, until);
  for (const AnswerTurns* turns : {&turns_, &query_turns_}) {
    if (turns->HasNext()) return 0;
    if (turns->waiting() > 0) next = std::min(next, now + kStallPoll);
  }
  if (accept_after_ != SteadyTime{}) next = std::min(next, accept_after_);
  for (const auto& [id, connection] : connections_) {
    next = std::min(next, connection->Deadline());
  }
  const auto left = std::chrono::ceil<milliseconds>(next - now).count();
  return static_cast<int>(std::max<decltype(left)>(left, 0));
}

}  // namespace kem
