// The thread that serves all clients: an epoll loop over non-blocking sockets.
// Used by HttpServer. Waits for no client, so that slow ones cannot stop a
// scrape; the limits bound memory. More scrapes than limits.answers wait for
// their turn, as queries do past limits.queries, and only answers whose clients
// do not read are cut for them. Past
// limits.connections the address with the most connections loses one.
#pragma once

#include <functional>
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
  void Add(UniqueFd fd, ClientAddress client, SteadyTime now);
  // Calls `change`, if any, and Advance; then waits for what comes next.
  void Advance(uint64_t id, SteadyTime now,
               const std::function<void(ServerConnection&)>& change = {});
  void Handle(uint64_t id, uint32_t events, SteadyTime now);
  // What other threads finished: logins and queries.
  void TakeFinished(SteadyTime now);
  void Wake();
  void Watch(int operation, uint64_t id, int fd, uint32_t events);
  void Remove(Connections::iterator it);
  // Cut answers whose clients stall, while others wait; then start those.
  void PassTurns(AnswerTurns& turns, SteadyTime now);
  void CutStalled(const AnswerTurns& turns, SteadyTime now);
  // Close connections past the limit or past a deadline.
  void DropOne();
  void ExpireOverdue(SteadyTime now);
  // Until the next deadline, `until` at the latest.
  int PollMilliseconds(SteadyTime now, SteadyTime until) const;

  HttpRouter router_;
  const HttpLimits limits_;
  UniqueFd listener_;
  const UniqueFd epoll_;
  const UniqueFd wake_;
  uint64_t last_id_;
  // Accepting pauses until then, as no descriptor was free.
  SteadyTime accept_after_{};
  AnswerTurns turns_;  // of scrapes
  AnswerTurns query_turns_;
  Connections connections_;
  // Last, so that they end first: their threads call Wake.
  WebGate gate_;
  QueryThread queries_;
  const ServerParts parts_;
};

}  // namespace kem
