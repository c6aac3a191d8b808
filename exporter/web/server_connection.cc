#include "web/server_connection.h"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

namespace kem {
namespace {

using std::chrono::milliseconds;

// Bytes read of a refused request, so that its sender reads the answer before
// the connection is reset.
constexpr size_t kMaxDrained = size_t{256} << 10;
constexpr size_t kReadBytes = 4096;
// Enough for a request and its answer; pipelined requests take turns with other
// clients.
constexpr int kStepsATurn = 8;

}  // namespace

ServerConnection::ServerConnection(uint64_t id, ServerSocket socket,
                                   HttpRouter& router, WebGate& gate,
                                   const HttpLimits& limits, SteadyTime now)
    : id_(id),
      socket_(std::move(socket)),
      router_(router),
      gate_(gate),
      limits_(limits),
      deadline_(now + limits.head),
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
        more = Handshake();
        break;
      case Phase::kHead:
        more = ReadHead(now);
        break;
      case Phase::kLogin:
        // The only event during a login: the client hung up.
        phase_ = Phase::kOver;
        return;
      case Phase::kAnswer:
        more = SendAnswer(now);
        break;
      case Phase::kDrain:
        more = Drain();
        break;
      case Phase::kOver:
        return;
    }
  }
}

void ServerConnection::Abort() {
  if (phase_ == Phase::kAnswer) socket_.Abort();
  phase_ = Phase::kOver;
}

bool ServerConnection::WaitOrEnd(ServerSocket::Io io) {
  if (io == ServerSocket::Io::kDone) return true;
  if (io == ServerSocket::Io::kClosed) phase_ = Phase::kOver;
  waits_for_ = socket_.WaitsFor();
  return false;
}

bool ServerConnection::Handshake() {
  if (!WaitOrEnd(socket_.Handshake())) return false;
  phase_ = Phase::kHead;
  return true;
}

bool ServerConnection::ReadHead(SteadyTime now) {
  // The last read may have returned more than one request.
  if (!input_.empty()) {
    RequestHead head = ReadRequestHead(input_, limits_.request);
    if (head.state != HeadState::kIncomplete) {
      return TakeHead(std::move(head), now);
    }
  }
  const bool first = input_.empty();
  if (!WaitOrEnd(socket_.Read(input_, kReadBytes))) return false;
  // The first request's time began with the connection.
  if (first) deadline_ = std::min(deadline_, now + limits_.head);
  return true;
}

bool ServerConnection::TakeHead(RequestHead head, SteadyTime now) {
  const bool complete = head.state == HeadState::kComplete;
  input_.erase(0, complete ? head.size : input_.size());
  // A client may be idle for minutes: keep no memory for it.
  if (input_.empty()) input_.shrink_to_fit();
  if (!complete) {
    StartAnswer(router_.Refuse(head.state), now);
    return true;
  }
  const Admission admission = gate_.Admit(head.authorization, id_, now);
  if (admission != Admission::kPending) {
    StartAnswer(router_.Handle(head, admission, gate_.headers()), now);
    return true;
  }
  pending_ = std::move(head);
  phase_ = Phase::kLogin;
  waits_for_ = 0;
  deadline_ = now + limits_.answer;
  return false;
}

void ServerConnection::FinishLogin(bool admitted, SteadyTime now) {
  if (phase_ != Phase::kLogin) return;
  StartAnswer(
      router_.Handle(pending_,
                     admitted ? Admission::kAdmitted : Admission::kUnauthorized,
                     gate_.headers()),
      now);
  pending_ = RequestHead();
}

void ServerConnection::StartAnswer(HttpAnswer answer, SteadyTime now) {
  answer_ = std::move(answer);
  output_ = std::move(answer_.bytes);
  sent_ = 0;
  phase_ = Phase::kAnswer;
  deadline_ = now + limits_.answer;
  idle_since_ = now;
}

bool ServerConnection::SendAnswer(SteadyTime now) {
  bool made = false;
  while (true) {
    std::string_view rest = std::string_view(output_).substr(sent_);
    const ServerSocket::Io io = socket_.Write(rest);
    const size_t left = rest.size();
    if (output_.size() - left > sent_) idle_since_ = now;
    sent_ = output_.size() - left;
    if (!WaitOrEnd(io)) return false;
    output_.clear();
    sent_ = 0;
    if (!answer_.body) {
      FinishAnswer(now);
      return true;
    }
    if (made) {
      // The turn of other clients; this one continues at once.
      waits_for_ = EPOLLOUT;
      return false;
    }
    made = true;
    if (!answer_.body->Next(output_)) answer_.body.reset();
  }
}

void ServerConnection::FinishAnswer(SteadyTime now) {
  output_.shrink_to_fit();
  idle_since_ = now;
  if (answer_.close) {
    socket_.EndWriting();
    phase_ = Phase::kDrain;
    deadline_ = now + limits_.drain;
  } else {
    phase_ = Phase::kHead;
    // The next request may have arrived in part.
    deadline_ = now + (input_.empty() ? limits_.idle : limits_.head);
  }
}

bool ServerConnection::Drain() {
  input_.clear();
  if (!WaitOrEnd(socket_.Read(input_, kReadBytes))) return false;
  drained_ += input_.size();
  if (drained_ > kMaxDrained) phase_ = Phase::kOver;
  return phase_ != Phase::kOver;
}

}  // namespace kem
