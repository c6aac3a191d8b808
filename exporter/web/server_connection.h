// One client of ours: handshake, request heads, answers, one after the other,
// each with a deadline. Used by HttpLoop on its one thread. Never waits: it
// does what can be done now and says what to wait for, and until when.
//
//   handshake ──► head ──► login ──► answer ──► head again, or drain ──► over
#pragma once

#include <cstdint>
#include <memory>
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
  // `id` is its own, a ticket for `gate`. `router`, `gate` and `limits` must
  // outlive it.
  ServerConnection(uint64_t id, ServerSocket socket, HttpRouter& router,
                   WebGate& gate, const HttpLimits& limits, SteadyTime now);

  // Goes on. Makes at most one piece of a scrape, so that many clients take
  // turns.
  void Advance(SteadyTime now);
  // The gate's answer to a login that was pending; Advance goes on with it.
  void FinishLogin(bool admitted, SteadyTime now);
  // Gives up: what is on its way to the client is dropped.
  void Abort();

  bool Over() const { return phase_ == Phase::kOver; }
  // An answer is under way; the others hold next to no memory.
  bool Answering() const { return phase_ == Phase::kAnswer; }
  // When Advance has to be called: EPOLLIN or EPOLLOUT is true; 0 during a
  // login, when only a hang-up counts ...
  uint32_t WaitsFor() const { return waits_for_; }
  // ... or this is over, and Abort.
  SteadyTime Deadline() const { return deadline_; }
  // Since when the client has made no progress that counts: it connected, its
  // last answer was done, it took some bytes of an answer. Bytes of a head do
  // not count, or a slow sender would look busy.
  SteadyTime IdleSince() const { return idle_since_; }
  int fd() const { return socket_.fd(); }

 private:
  enum class Phase { kHandshake, kHead, kLogin, kAnswer, kDrain, kOver };

  // Each does one step and is true when Advance may go on at once.
  bool Handshake();
  bool ReadHead(SteadyTime now);
  bool SendAnswer(SteadyTime now);
  bool Drain();
  // False while a login is looked at.
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
  std::string input_;   // received and not taken yet
  std::string output_;  // made; what was sent of it:
  size_t sent_ = 0;
  size_t drained_ = 0;
  RequestHead pending_;  // during a login
  HttpAnswer answer_;
};

}  // namespace kem
