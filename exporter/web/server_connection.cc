#include "web/server_connection.h"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace kem {
namespace {

using std::chrono::microseconds;

// Bytes read of a refused request, so that its sender reads the answer before
// the connection is reset.
constexpr size_t kMaxDrained = size_t{256} << 10;
constexpr size_t kReadBytes = 4096;
// Enough for a request and its answer; pipelined requests take turns with other
// clients.
constexpr int kStepsATurn = 8;
// Bytes a second of a client that does not stall, be its network ever so slow.
constexpr int64_t kSlowestReader = int64_t{256} << 10;

}  // namespace

ServerConnection::ServerConnection(uint64_t id, ClientAddress client,
                                   ServerSocket socket,
                                   const ServerParts& parts, SteadyTime now)
    : id_(id),
      client_(std::move(client)),
      socket_(std::move(socket)),
      parts_(parts),
      deadline_(now + parts.limits.head),
      idle_since_(now) {}

void ServerConnection::Advance(SteadyTime now) {
  bool more = true;
  for (int step = 0; more; ++step) {
    if (step == kStepsATurn) {
      waits_for_ = EPOLLOUT;
      return;
    }
    switch (phase_) {
      case Phase::kHandshake:
        more = Handshake(now);
        break;
      case Phase::kHead:
        more = ReadHead(now);
        break;
      case Phase::kAnswer:
        more = SendAnswer(now);
        break;
      case Phase::kDrain:
        more = Drain();
        break;
      case Phase::kLogin:
      case Phase::kTurn:
      case Phase::kQuery:
      case Phase::kOver:
        return;
    }
  }
}

void ServerConnection::Abort(const char* reason) {
  if (phase_ == Phase::kHandshake) LogFailedHandshake(reason);
  if (phase_ == Phase::kAnswer) {
    socket_.Abort();
    parts_.stats.Count(answer_.handler, HttpStats::kCut);
    LogDebug("Cut an answer", {{"client", client_.text},
                               {"handler", answer_.handler},
                               {"reason", reason},
                               {"sent_bytes", written_}});
  }
  phase_ = Phase::kOver;
}

void ServerConnection::Expire(SteadyTime now) {
  if (!Waiting()) {
    return Abort(Answering() ? "the client does not read"
                             : "the client sends nothing");
  }
  // A login in progress ends later. Its result must not meet another request.
  if (phase_ == Phase::kLogin) pending_.keep_alive = false;
  parts_.gate.CancelLogin(id_);
  parts_.turns.Leave(id_);
  parts_.query_turns.Leave(id_);
  parts_.queries.Cancel(id_);
  Answer(std::exchange(pending_, {}), Admission::kBusy, now);
}

bool ServerConnection::WaitOrEnd(ServerSocket::Io io) {
  if (io == ServerSocket::Io::kDone) return true;
  if (io == ServerSocket::Io::kClosed)
    Abort("the client closed the connection");
  waits_for_ = socket_.WaitsFor();
  return false;
}

void ServerConnection::LogFailedHandshake(const std::string& why) const {
  LogDebug("TLS handshake failed", {{"client", client_.text}, {"error", why}});
}

bool ServerConnection::Handshake(SteadyTime now) {
  const ServerSocket::Io io = socket_.Handshake();
  if (io == ServerSocket::Io::kRefused || io == ServerSocket::Io::kPlainHttp) {
    LogFailedHandshake(socket_.failure());
    socket_.DropTls();
    if (io == ServerSocket::Io::kRefused) {
      // The client reads the alert before the connection is reset.
      StartDrain(now);
    } else {
      StartAnswer(parts_.router.Refuse(HeadState::kPlainHttp), now);
    }
    return true;
  }
  if (!WaitOrEnd(io)) return false;
  phase_ = Phase::kHead;
  return true;
}

bool ServerConnection::ReadHead(SteadyTime now) {
  // The last read may have returned more than one request.
  if (!input_.empty()) {
    RequestHead head = ReadRequestHead(input_, parts_.limits.request);
    if (head.state != HeadState::kIncomplete) {
      return TakeHead(std::move(head), now);
    }
  }
  const bool first = input_.empty();
  if (!WaitOrEnd(socket_.Read(input_, kReadBytes))) return false;
  // The first request's time began with the connection.
  if (first) deadline_ = std::min(deadline_, now + parts_.limits.head);
  return true;
}

bool ServerConnection::TakeHead(RequestHead head, SteadyTime now) {
  const bool complete = head.state == HeadState::kComplete;
  input_.erase(0, complete ? head.size : input_.size());
  // A client may be idle for minutes: keep no memory for it.
  if (input_.empty()) input_.shrink_to_fit();
  if (!complete) {
    StartAnswer(parts_.router.Refuse(head.state), now);
    return true;
  }
  const Admission admission =
      parts_.gate.Admit(head.authorization, client_.group, id_, now);
  if (admission == Admission::kPending) {
    return Wait(Phase::kLogin, std::move(head), now);
  }
  return Begin(std::move(head), admission, now);
}

bool ServerConnection::Wait(Phase phase, RequestHead head, SteadyTime now) {
  pending_ = std::move(head);
  phase_ = phase;
  waits_for_ = 0;
  deadline_ = now + parts_.limits.wait;
  return false;
}

bool ServerConnection::Begin(RequestHead head, Admission admission,
                             SteadyTime now) {
  if (admission == Admission::kAdmitted) {
    const bool query = parts_.router.IsQuery(head);
    if (query &&
        parts_.query_turns.waiting() >= parts_.limits.queries_waiting) {
      Answer(head, Admission::kBusy, now);
      return true;
    }
    AnswerTurns& turns = query ? parts_.query_turns : parts_.turns;
    if ((query || parts_.router.IsScrape(head)) &&
        !turns.Ask(client_.group, id_)) {
      return Wait(Phase::kTurn, std::move(head), now);
    }
    if (query) return StartQuery(std::move(head), now);
  }
  Answer(head, admission, now);
  return true;
}

bool ServerConnection::StartQuery(RequestHead head, SteadyTime now) {
  const HttpRouter& router = parts_.router;
  const bool started = parts_.queries.Start(
      id_, [&router, head,
            headers = parts_.gate.headers()](const std::stop_token& stop) {
        return router.Query(head, headers, stop);
      });
  if (started) return Wait(Phase::kQuery, std::move(head), now);
  parts_.query_turns.Leave(id_);
  Answer(head, Admission::kBusy, now);
  return true;
}

void ServerConnection::Answer(const RequestHead& head, Admission admission,
                              SteadyTime now) {
  StartAnswer(parts_.router.Handle(head, admission, parts_.gate.headers()),
              now);
}

void ServerConnection::FinishLogin(bool admitted, SteadyTime now) {
  if (phase_ != Phase::kLogin) return;
  Begin(std::exchange(pending_, {}),
        admitted ? Admission::kAdmitted : Admission::kUnauthorized, now);
}

void ServerConnection::TakeTurn(SteadyTime now) {
  RequestHead head = std::exchange(pending_, {});
  if (parts_.router.IsQuery(head)) {
    StartQuery(std::move(head), now);
  } else {
    Answer(head, Admission::kAdmitted, now);
  }
}

void ServerConnection::FinishQuery(HttpAnswer answer, SteadyTime now) {
  pending_ = RequestHead();
  StartAnswer(std::move(answer), now);
}

void ServerConnection::StartAnswer(HttpAnswer answer, SteadyTime now) {
  answer_ = std::move(answer);
  output_ = std::move(answer_.bytes);
  sent_ = 0;
  written_ = 0;
  blocked_ = SteadyTime::duration(0);
  phase_ = Phase::kAnswer;
  waits_for_ = EPOLLOUT;
  deadline_ = SteadyTime::max();
  idle_since_ = now;
}

bool ServerConnection::SendAnswer(SteadyTime now) {
  if (blocked_at_ != SteadyTime::max()) blocked_ += now - blocked_at_;
  blocked_at_ = SteadyTime::max();
  deadline_ = SteadyTime::max();
  bool made = false;
  while (true) {
    std::string_view rest = std::string_view(output_).substr(sent_);
    const ServerSocket::Io io = socket_.Write(rest);
    const size_t newly = output_.size() - rest.size() - sent_;
    if (newly > 0) idle_since_ = now;
    sent_ += newly;
    written_ += newly;
    if (io == ServerSocket::Io::kAgain) AwaitClient(now);
    if (!WaitOrEnd(io)) return false;
    output_.clear();
    sent_ = 0;
    if (!answer_.body) {
      FinishAnswer(now);
      return true;
    }
    if (made) {
      // The turn of other clients; this one continues at once if it reads.
      if (!socket_.Writable()) AwaitClient(now);
      waits_for_ = EPOLLOUT;
      return false;
    }
    made = true;
    if (!answer_.body->Next(output_)) answer_.body.reset();
  }
}

void ServerConnection::AwaitClient(SteadyTime now) {
  blocked_at_ = now;
  deadline_ = now + parts_.limits.answer - blocked_;
}

SteadyTime::duration ServerConnection::Stalled(SteadyTime now) const {
  if (phase_ != Phase::kAnswer || blocked_at_ == SteadyTime::max()) return {};
  const uint64_t unread = std::min<uint64_t>(socket_.Unread(), written_);
  const auto read = static_cast<int64_t>(written_ - unread);
  return blocked_ + (now - blocked_at_) -
         microseconds(read * 1'000'000 / kSlowestReader);
}

void ServerConnection::FinishAnswer(SteadyTime now) {
  parts_.turns.Leave(id_);
  parts_.query_turns.Leave(id_);
  parts_.stats.Count(answer_.handler, answer_.status);
  output_.shrink_to_fit();
  idle_since_ = now;
  if (answer_.close) {
    StartDrain(now);
  } else {
    phase_ = Phase::kHead;
    // The next request may have arrived in part.
    deadline_ =
        now + (input_.empty() ? parts_.limits.idle : parts_.limits.head);
  }
}

void ServerConnection::StartDrain(SteadyTime now) {
  socket_.EndWriting();
  phase_ = Phase::kDrain;
  deadline_ = now + parts_.limits.drain;
}

bool ServerConnection::Drain() {
  input_.clear();
  if (!WaitOrEnd(socket_.Read(input_, kReadBytes))) return false;
  drained_ += input_.size();
  if (drained_ > kMaxDrained) phase_ = Phase::kOver;
  return phase_ != Phase::kOver;
}

}  // namespace kem
