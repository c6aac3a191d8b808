// A real HttpServer on loopback, whose limits a test lowers and whose scrapes
// it sizes. Used by the tests of slow, many and hostile clients. Has no web
// configuration, as web_fixture.h does.
#pragma once

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "unit/web/raw_client.h"
#include "web/http_server.h"

namespace kem {

inline constexpr std::chrono::milliseconds kNever{3600000};
inline constexpr char kEnd[] = "\r\n0\r\n\r\n";
inline constexpr char kScrape[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";

class HttpLimitsTest : public ::testing::Test {
 protected:
  HttpLimitsTest() {
    // No limit ends by itself unless a test lowers it.
    limits.head = limits.answer = limits.idle = limits.drain = kNever;
    limits.wait = limits.stall = kNever;
    limits.stop = std::chrono::milliseconds(0);
  }

  void Start() {
    HttpContent content;
    content.scrape = [this](const std::string&) {
      ++scrapes;
      return Scrape{"text/plain",
                    [this, left = pieces](std::string& out) mutable {
                      ++made;
                      out.append(piece);
                      return --left > 0;
                    }};
    };
    content.routes = routes;
    content.livez = [] { return Health{true, "alive\n"}; };
    content.readyz = [] { return Health{true, "ready\n"}; };
    auto started = HttpServer::Start({{"127.0.0.1", 0}, "/metrics", "", limits},
                                     std::move(content), stats);
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(*started);
    address = server->address();
  }

  // Of answers that ended. An answer in this thread's hands may not have ended
  // yet, but one thread serves all: the next answer comes later.
  uint64_t Count(const std::string& handler, int code) {
    RawClient::Get(address, "/livez");
    const auto requests = stats.Requests();
    const auto found = requests.find({handler, code});
    return found == requests.end() ? 0 : found->second;
  }

  // Begins a scrape and reads its head only.
  std::unique_ptr<RawClient> BeginScrape() {
    auto client = std::make_unique<RawClient>(address, 4096);
    client->Send(kScrape);
    EXPECT_THAT(client->Read("\r\n\r\n"),
                ::testing::StartsWith("HTTP/1.1 200"));
    return client;
  }

  void ExpectServing() {
    EXPECT_THAT(RawClient::Get(address, "/livez"),
                ::testing::EndsWith("alive\n"));
    EXPECT_THAT(RawClient::Get(address, "/metrics"),
                ::testing::EndsWith("0\r\n\r\n"));
  }

  HttpLimits limits;
  HttpStats stats;
  std::vector<HttpRoute> routes{
      {"/", [](const RouteRequest&, const std::stop_token&) {
         return RouteAnswer{.content_type = "text/html", .body = "page\n"};
       }}};
  std::string piece = "some_metric 1\n";
  int pieces = 3;
  std::atomic<int> scrapes = 0;
  std::atomic<int> made = 0;
  std::unique_ptr<HttpServer> server;
  std::string address;
};

}  // namespace kem
