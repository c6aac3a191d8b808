// Routes of a real HttpServer: which requests reach them, what they return, and
// that a query that hangs stops nothing else.
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "testing/no_threads.h"
#include "unit/web/limits_fixture.h"

namespace kem {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpRoutesTest : public HttpLimitsTest {
 protected:
  HttpRoutesTest() {
    routes.push_back(
        {"/api/v1/x", [](const RouteRequest& request, const std::stop_token&) {
           return RouteAnswer{.status = request.query == "busy" ? 503 : 200,
                              .content_type = "application/json",
                              .body = request.query + "|" + request.accept};
         }});
    routes.push_back(
        {"/objects/", [](const RouteRequest& request, const std::stop_token&) {
           RouteAnswer answer{200, "text/plain", ""};
           for (const std::string& one : request.segments) {
             answer.body += "[" + one + "]";
           }
           return answer;
         }});
    // Each runs until it is stopped or `go_on` is released.
    routes.push_back(
        {"/slow",
         [this](const RouteRequest& request, const std::stop_token& stop) {
           const std::stop_callback on_stop(stop, [this] {
             was_stopped = true;
             go_on.release();
           });
           begun.release();
           go_on.acquire();
           return RouteAnswer{.content_type = "text/plain",
                              .body = "slow " + request.query + "\n"};
         }});
  }

  std::string Get(const std::string& path) {
    return RawClient::Get(address, path);
  }
  std::unique_ptr<RawClient> Send(const std::string& path) {
    auto client = std::make_unique<RawClient>(address);
    client->Send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    return client;
  }

  std::counting_semaphore<> begun{0};
  std::counting_semaphore<> go_on{0};
  std::atomic<bool> was_stopped = false;
};

TEST_F(HttpRoutesTest, ARouteGetsQueryAndAccept) {
  Start();
  RawClient client(address);
  client.Send(
      "GET /api/v1/x?a=%20b&c HTTP/1.1\r\nHost: a\r\nAccept: text/x\r\n"
      "Connection: close\r\n\r\n");
  const std::string answer = client.Read();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\na=%20b&c|text/x"));
  for (const char* header :
       {"Content-Type: application/json", "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff", "Vary: Accept, Accept-Encoding",
        "Content-Security-Policy: frame-ancestors 'none'"}) {
    EXPECT_THAT(answer, HasSubstr("\r\n" + std::string(header) + "\r\n"));
  }
  EXPECT_THAT(answer, Not(HasSubstr("Retry-After")));
  EXPECT_THAT(Get("/api/v1/x?busy"), HasSubstr("\r\nRetry-After: 1\r\n"));
}

TEST_F(HttpRoutesTest, AnswersGetAndHeadOnly) {
  Start();
  RawClient head(address);
  head.Send("HEAD /api/v1/x?abc HTTP/1.0\r\n\r\n");
  const std::string answer = head.Read();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 4\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
  for (const char* method : {"POST", "DELETE", "OPTIONS", "BREW"}) {
    RawClient other(address);
    other.Send(std::string(method) + " /api/v1/x HTTP/1.0\r\n\r\n");
    const std::string refusal = other.Read();
    EXPECT_THAT(refusal, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(refusal, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  }
}

TEST_F(HttpRoutesTest, ANamedPathIsNoPrefix) {
  Start();
  for (const char* path : {"/api/v1/x/", "/api/v1/xy", "/api/v1/", "/api/v1",
                           "/api", "/objects", "/api/v1/X", "//api/v1/x"}) {
    EXPECT_THAT(Get(path), StartsWith("HTTP/1.1 404 ")) << path;
  }
  EXPECT_EQ(Count("other", 404), 8U);
}

TEST_F(HttpRoutesTest, DecodesTheSegmentsOfAPath) {
  Start();
  EXPECT_THAT(Get("/objects/"), EndsWith("\r\n\r\n"));
  EXPECT_THAT(Get("/objects/Node/n1?x/y"), EndsWith("\r\n\r\n[Node][n1]"));
  EXPECT_THAT(Get("/objects/ClusterRole/system:node"),
              EndsWith("[ClusterRole][system:node]"));
  EXPECT_THAT(Get("/objects/a%20b/%C3%A4+%25/...%3Cb%3E"),
              EndsWith("[a b][\u00e4+%][...<b>]"));
}

TEST_F(HttpRoutesTest, RefusesSegmentsThatAreNotSafe) {
  Start();
  std::vector<std::string> paths = {"a/../b",
                                    "..",
                                    ".",
                                    "%2e%2e",
                                    "a/%2E/b",
                                    "a//b",
                                    "a/",
                                    "/",
                                    "a%2Fb",
                                    "a%00b",
                                    "a%0Ab",
                                    "a%7Fb",
                                    "a%",
                                    "a%2",
                                    "a%zz",
                                    "a%C3",
                                    "%FF",
                                    "%C0%AE%C0%AE",
                                    "..%2f..%2fetc%2fpasswd"};
  paths.emplace_back(1025, 'a');
  for (const std::string& path : paths) {
    EXPECT_THAT(Get("/objects/" + path), StartsWith("HTTP/1.1 404 ")) << path;
  }
  EXPECT_THAT(Get("/objects/" + std::string(1024, 'a')),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(Count("/objects/", 404), paths.size());
  EXPECT_EQ(Count("/objects/", 200), 1U);
}

TEST_F(HttpRoutesTest, AQueryThatHangsDelaysNoScrape) {
  Start();
  const auto slow = Send("/slow?a");
  begun.acquire();
  for (int i = 0; i < 100; ++i) ExpectServing();
  EXPECT_EQ(scrapes, 100);
  go_on.release();
  EXPECT_THAT(slow->Read("slow a\n"), EndsWith("slow a\n"));
  EXPECT_EQ(Count("/slow", 200), 1U);
}

TEST_F(HttpRoutesTest, RefusesWhatExceedsTheQueue) {
  limits.queries = 1;
  limits.queries_waiting = 2;
  Start();
  const auto first = Send("/slow?1");
  begun.acquire();
  const auto second = Send("/slow?2");
  const auto third = Send("/slow?3");
  EXPECT_THAT(Get("/livez"), EndsWith("alive\n"));
  const std::string refusal = Get("/api/v1/x");
  EXPECT_THAT(refusal, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(refusal, HasSubstr("\r\nRetry-After: 1\r\n"));
  ExpectServing();
  go_on.release(3);
  EXPECT_THAT(first->Read("slow 1\n"), EndsWith("slow 1\n"));
  EXPECT_THAT(second->Read("slow 2\n"), EndsWith("slow 2\n"));
  EXPECT_THAT(third->Read("slow 3\n"), EndsWith("slow 3\n"));
  EXPECT_THAT(Get("/api/v1/x?a"), EndsWith("a|"));
}

TEST_F(HttpRoutesTest, ADeadlineStopsAQuery) {
  limits.wait = std::chrono::milliseconds(20);
  Start();
  const auto slow = Send("/slow?a");
  const std::string refusal = slow->Read("wait\n");
  EXPECT_THAT(refusal, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(refusal, HasSubstr("\r\nRetry-After: 1\r\n"));
  // Its connection is kept, and gets its own answer.
  slow->Send("GET /api/v1/x?b HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(slow->Read("b|"), EndsWith("\r\n\r\nb|"));
  EXPECT_TRUE(was_stopped);
}

TEST_F(HttpRoutesTest, AHangUpStopsAQuery) {
  Start();
  auto slow = Send("/slow?a");
  begun.acquire();
  const linger reset{1, 0};
  ::setsockopt(slow->fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  slow.reset();
  EXPECT_THAT(Get("/api/v1/x?b"), EndsWith("b|"));
  EXPECT_TRUE(was_stopped);
}

TEST_F(HttpRoutesTest, TheEndOfTheServerStopsAQuery) {
  Start();
  const auto slow = Send("/slow?a");
  begun.acquire();
  server.reset();
  EXPECT_TRUE(was_stopped);
}

TEST_F(HttpRoutesTest, TheEndOfTheServerWaitsForAQuery) {
  limits.stop = kNever;
  Start();
  const auto slow = Send("/slow?a");
  begun.acquire();
  std::jthread end([this] { server.reset(); });
  while (RawClient(address).connected()) std::this_thread::yield();
  go_on.release();
  EXPECT_THAT(slow->Read("slow a\n"), EndsWith("slow a\n"));
  end.join();
  EXPECT_FALSE(was_stopped);
}

TEST_F(HttpRoutesTest, AnswersPipelinedQueriesInTheirOrder) {
  Start();
  RawClient client(address);
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests +=
        "GET /api/v1/x?" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  client.Send(requests);
  const std::string answers = client.Read("\r\n\r\n49|");
  size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answers.find("\r\n\r\n" + std::to_string(i) + "|", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(HttpRoutesTest, OneStalledReaderIsCutForOneThatWaits) {
  routes.push_back({"/big", [](const RouteRequest&, const std::stop_token&) {
                      return RouteAnswer{
                          .content_type = "text/plain",
                          .body = std::string(size_t{16} << 20, 'x')};
                    }});
  limits.queries = 1;
  limits.stall = std::chrono::milliseconds(20);
  Start();
  RawClient stalled(address, 4096);
  stalled.Send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(stalled.Read("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Get("/api/v1/x?a"), EndsWith("a|"));
  EXPECT_EQ(Count("/big", HttpStats::kCut), 1U);
}

TEST_F(HttpRoutesTest, RefusesWithoutAThread) {
  Start();
  ExpectServing();
  {
    const NoThreads none;
    EXPECT_THAT(Get("/api/v1/x"), StartsWith("HTTP/1.1 503 "));
  }
  EXPECT_THAT(Get("/api/v1/x?a"), EndsWith("a|"));
}

}  // namespace
}  // namespace kem
