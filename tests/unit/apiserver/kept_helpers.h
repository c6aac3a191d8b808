// Shared by transport_kept*_test.cc: a server that serves many requests on a
// connection and counts its connections, and a transport that keeps its own.
// Tests of other layers use testing/scripted_transport.h.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apiserver/api_transport.h"
#include "testing/fake_clock.h"
#include "unit/apiserver/fakes.h"
#include "unit/net/test_server.h"

namespace kem {

inline constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Plays a script for each connection, in order; the last one for all further.
// A script gets the connection and serves its requests.
class ManyServer {
 public:
  using Script = std::function<void(Peer&)>;

  explicit ManyServer(std::vector<Script> scripts,
                      std::optional<ServerTls> tls = {})
      : scripts_(std::move(scripts)),
        server_([this](Peer& peer) { Serve(peer); }, std::move(tls)) {}

  // Answers each request with these bytes, until the client closes.
  static Script Answers(std::string answer) {
    return [answer = std::move(answer)](Peer& peer) {
      while (!peer.ReadHead().empty() && peer.Send(answer)) {
      }
    };
  }

  std::string Url() const { return server_.Url(); }
  int Port() const { return server_.Port(); }
  size_t connections() const { return connections_; }

 private:
  void Serve(Peer& peer) {
    const size_t number = connections_++;
    scripts_.at(std::min(number, scripts_.size() - 1))(peer);
  }

  const std::vector<Script> scripts_;
  std::atomic<size_t> connections_ = 0;
  TestServer server_;
};

// Of one sink.
class KeptClient {
 public:
  explicit KeptClient(ServerAccess access, FileReader read = DiskFiles())
      : transport_(
            ApiTransport(std::move(access), TestResolver(), std::move(read))
                .Keeping(clock, &opened)) {}

  HttpOutcome Send(HttpHandler& handler, HttpRequest request = {},
                   std::stop_token stop = {}) {
    if (request.path.empty()) request.path = "/x";
    return transport_->Send(request, handler, std::move(stop));
  }
  // "200 ok", or why there is none.
  std::string Get(HttpRequest request = {}, std::stop_token stop = {}) {
    WholeAnswer answer;
    const HttpOutcome outcome =
        Send(answer, std::move(request), std::move(stop));
    if (outcome.end != HttpEnd::kComplete) return outcome.message;
    return std::to_string(answer.head().status) + " " + answer.body();
  }

  FakeClock clock;
  std::atomic<uint64_t> opened = 0;

 private:
  const std::unique_ptr<HttpTransport> transport_;
};

}  // namespace kem
