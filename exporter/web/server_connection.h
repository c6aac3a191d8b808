// One client connection: handshake, request heads and answers in turn, each
// with a deadline. Used by HttpLoop on its thread. Never blocks: Advance does
// what is possible now, WaitsFor and Deadline return what to wait for.
//
//   handshake ──► head ──► login ──► answer ──► head again, or drain ──► over
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "web/http_router.h"
#include "web/http_server.h"
#include "web/server_socket.h"
#include "web/web_gate.h"

namespace kem {

// Not thread-safe.
class ServerConnection {
 public:
  // `id` is unique and the ticket for `gate`. `router`, `gate` and `limits`
  // must outlive it.
  ServerConnection(uint64_t id, ServerSocket socket, HttpRouter& router,
                   WebGate& gate, const HttpLimits& limits, SteadyTime now);

  // Does what is possible now, but creates at most one piece of a scrape, so
  // that clients take turns.
  void Advance(SteadyTime now);
  // The result of a pending login. Call Advance afterwards.
  void FinishLogin(bool admitted, SteadyTime now);
  // Closes the connection, and drops unsent and unread bytes of an answer.
  void Abort();

  bool Over() const { return phase_ == Phase::kOver; }
  // An answer is in progress; other phases need little memory.
  bool Answering() const { return phase_ == Phase::kAnswer; }
  // Call Advance when this event occurs, EPOLLIN or EPOLLOUT; 0 during a login,
  // for a hang-up only.
  uint32_t WaitsFor() const { return waits_for_; }
  // Call Abort at this time.
  SteadyTime Deadline() const { return deadline_; }
  // The last progress: the connection, bytes that the client read, or the end
  // of an answer. Bytes of a head do not count, so that a slow sender is idle.
  SteadyTime IdleSince() const { return idle_since_; }
  int fd() const { return socket_.fd(); }

 private:
  enum class Phase { kHandshake, kHead, kLogin, kAnswer, kDrain, kOver };

  // One step each; true when Advance can continue at once.
  bool Handshake();
  bool ReadHead(SteadyTime now);
  bool SendAnswer(SteadyTime now);
  bool Drain();
  // False while a login is pending.
  bool TakeHead(RequestHead head, SteadyTime now);
  void StartAnswer(HttpAnswer answer, SteadyTime now);
  void FinishAnswer(SteadyTime now);
  bool WaitOrEnd(ServerSocket::Io io);

  const uint64_t id_;
  ServerSocket socket_;
  HttpRouter& router_;
  WebGate& gate_;
  const HttpLimits& limits_;
  Phase phase_ = Phase::kHandshake;
  SteadyTime deadline_;
  SteadyTime idle_since_;
  uint32_t waits_for_ = 0;
  std::string input_;   // received and not parsed yet
  std::string output_;  // to send,
  size_t sent_ = 0;     // of which these bytes are sent
  size_t drained_ = 0;
  RequestHead pending_;  // during a login
  HttpAnswer answer_;
};

}  // namespace kem
