// One client connection: handshake, request heads and answers in turn, each
// with a deadline. Used by HttpLoop on its thread. Never blocks: Advance does
// what is possible now, WaitsFor and Deadline return what to wait for.
//
//   handshake ──► head ──► login ──► turn ──► query ──► answer ──► head again,
//                                                                  or drain,
//                                                                  then over
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "net/client_address.h"
#include "web/answer_turns.h"
#include "web/http_router.h"
#include "web/http_server.h"
#include "web/http_stats.h"
#include "web/query_thread.h"
#include "web/server_socket.h"
#include "web/web_gate.h"

namespace kem {

// What all connections share.
struct ServerParts {
  HttpRouter& router;
  HttpStats& stats;
  WebGate& gate;
  AnswerTurns& turns;  // of scrapes
  AnswerTurns& query_turns;
  QueryThread& queries;
  const HttpLimits& limits;
};

// Not thread-safe.
class ServerConnection {
 public:
  // `id` is unique: the ticket for gate and turns. `parts` and what it names
  // must outlive it.
  ServerConnection(uint64_t id, ClientAddress client, ServerSocket socket,
                   const ServerParts& parts, SteadyTime now);

  // Does what is possible now, but creates at most one piece of a scrape, so
  // that clients take turns.
  void Advance(SteadyTime now);
  // The result of a pending login. Call Advance afterwards.
  void FinishLogin(bool admitted, SteadyTime now);
  // One of the two AnswerTurns gave it a turn. Call Advance afterwards.
  void TakeTurn(SteadyTime now);
  // The answer of a query that it started. Call Advance afterwards.
  void FinishQuery(HttpAnswer answer, SteadyTime now);
  // The deadline has passed: refuses a request that waits, else closes. Call
  // Advance afterwards.
  void Expire(SteadyTime now);
  // Closes the connection, and drops unsent and unread bytes of an answer,
  // which is counted and logged as cut for `reason`.
  void Abort(const char* reason);

  bool Over() const { return phase_ == Phase::kOver; }
  // An answer is in progress.
  bool Answering() const { return phase_ == Phase::kAnswer; }
  // The answer is made by the thread of the routes.
  bool Querying() const { return phase_ == Phase::kQuery; }
  // Waits for a login, a turn or a query: for this server, not for the client.
  bool Waiting() const {
    return phase_ == Phase::kLogin || phase_ == Phase::kTurn ||
           phase_ == Phase::kQuery;
  }
  // Call Advance when this event occurs, EPOLLIN or EPOLLOUT; 0 while waiting,
  // for a hang-up only.
  uint32_t WaitsFor() const { return waits_for_; }
  // Call Expire at this time.
  SteadyTime Deadline() const { return deadline_; }
  // The last progress: the connection, bytes that the client read, or the end
  // of an answer. Bytes of a head do not count, so that a slow sender is idle.
  SteadyTime IdleSince() const { return idle_since_; }
  // How long the answer waited for its client, less a second for each 256 KiB
  // that the client read of it; at most 0 while it does not wait.
  SteadyTime::duration Stalled(SteadyTime now) const;
  const ClientAddress& client() const { return client_; }
  int fd() const { return socket_.fd(); }

 private:
  enum class Phase {
    kHandshake,
    kHead,
    kLogin,
    kTurn,
    kQuery,
    kAnswer,
    kDrain,
    kOver
  };

  // One step each; true when Advance can continue at once.
  bool Handshake(SteadyTime now);
  bool ReadHead(SteadyTime now);
  bool SendAnswer(SteadyTime now);
  void AwaitClient(SteadyTime now);
  bool Drain();
  bool TakeHead(RequestHead head, SteadyTime now);
  bool Wait(Phase phase, RequestHead head, SteadyTime now);
  // False while it waits for its turn or its query, like StartQuery.
  bool Begin(RequestHead head, Admission admission, SteadyTime now);
  bool StartQuery(RequestHead head, SteadyTime now);
  void Answer(const RequestHead& head, Admission admission, SteadyTime now);
  void StartAnswer(HttpAnswer answer, SteadyTime now);
  void FinishAnswer(SteadyTime now);
  void StartDrain(SteadyTime now);
  void LogFailedHandshake(const std::string& why) const;
  bool WaitOrEnd(ServerSocket::Io io);

  const uint64_t id_;
  const ClientAddress client_;
  ServerSocket socket_;
  const ServerParts& parts_;
  Phase phase_ = Phase::kHandshake;
  SteadyTime deadline_;
  SteadyTime idle_since_;
  uint32_t waits_for_ = 0;
  std::string input_;   // received and not parsed yet
  std::string output_;  // to send,
  size_t sent_ = 0;     // of which these bytes are sent
  size_t drained_ = 0;
  RequestHead pending_;  // while waiting
  HttpAnswer answer_;
  // Of the answer: bytes written, and time that it waited for the client until
  // `blocked_at_`, or SteadyTime::max() while it does not wait.
  uint64_t written_ = 0;
  SteadyTime::duration blocked_{0};
  SteadyTime blocked_at_ = SteadyTime::max();
};

}  // namespace kem
