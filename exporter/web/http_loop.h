// The thread that serves all clients: an epoll loop over non-blocking sockets.
// Used by HttpServer. Why a loop of our own and not cpp-httplib's server: that
// one keeps a thread for each connection, idle ones too, and limits each read
// but not their sum, so that a handful of slow clients stop all scrapes. Here
// nothing waits for a client, so that no number of them takes more than its
// turn; the limits are for memory.
// Past limits.connections the one idle for longest goes, past limits.answers
// the one whose client has taken nothing for longest.
#pragma once

#include <memory>
#include <stop_token>
#include <unordered_map>

#include "base/clock.h"
#include "web/http_router.h"
#include "web/http_server.h"
#include "web/server_connection.h"

namespace kem {

// Run by one thread.
class HttpLoop {
 public:
  // `listener` is non-blocking and listens. `router` and `gate` must outlive
  // it.
  HttpLoop(UniqueFd listener, HttpRouter& router, WebGate& gate,
           const HttpLimits& limits);

  ~HttpLoop();
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  // Until `stop`; then what is being answered has limits.stop to end.
  void Run(std::stop_token stop);

 private:
  using Connections =
      std::unordered_map<uint64_t, std::unique_ptr<ServerConnection>>;

  void Accept(SteadyTime now);
  void Add(UniqueFd fd, SteadyTime now);
  void Advance(uint64_t id, SteadyTime now);
  void FinishLogins(SteadyTime now);
  void Wake();
  void Watch(int operation, uint64_t id, const ServerConnection& connection);
  void Watch(int operation, uint64_t id, int fd, uint32_t events);
  // Drops what has no place any more, or no time.
  void MakeRoom();
  void DropIdleLongest(bool answering);
  void DropOverdue(SteadyTime now);
  void DropAllButAnswering();
  int PollMilliseconds(SteadyTime now) const;

  HttpRouter& router_;
  WebGate& gate_;
  const HttpLimits limits_;
  UniqueFd listener_;
  const UniqueFd epoll_;
  const UniqueFd wake_;
  uint64_t last_id_;
  Connections connections_;
  // No descriptor was left; accepting goes on then.
  SteadyTime accept_after_{};
};

}  // namespace kem
