// The thread that serves all clients: an epoll loop over non-blocking sockets.
// Used by HttpServer. Waits for no client, so that slow ones cannot stop a
// scrape; the limits bound memory. Past limits.connections the connection that
// was idle longest is closed, past limits.answers the one whose client has read
// nothing for longest.
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
  // `listener` is non-blocking and listens. `settings` is null without
  // --web.config.file. `stats` must outlive it.
  HttpLoop(UniqueFd listener, const HttpServerOptions& options,
           HttpContent content, HttpStats& stats,
           std::unique_ptr<WebSettingsFile> settings);

  // Until `stop`; then answers in progress have limits.stop to end.
  void Run(std::stop_token stop);

 private:
  using Connections =
      std::unordered_map<uint64_t, std::unique_ptr<ServerConnection>>;

  void Accept(SteadyTime now);
  void Add(UniqueFd fd, SteadyTime now);
  void Advance(uint64_t id, SteadyTime now);
  void FinishLogins(SteadyTime now);
  void Wake();
  void Watch(int operation, uint64_t id, int fd, uint32_t events);
  // Close connections past a limit or a deadline.
  void MakeRoom();
  void DropIdleLongest(bool answering);
  void DropOverdue(SteadyTime now);
  // Until the next deadline, `until` at the latest.
  int PollMilliseconds(SteadyTime now, SteadyTime until) const;

  HttpRouter router_;
  const HttpLimits limits_;
  UniqueFd listener_;
  const UniqueFd epoll_;
  const UniqueFd wake_;
  uint64_t last_id_;
  Connections connections_;
  // Accepting pauses until then, as no descriptor was free.
  SteadyTime accept_after_{};
  // Last, so that it ends first: its thread calls Wake.
  WebGate gate_;
};

}  // namespace kem
