#include "web/http_server.h"

#include <gmock/gmock.h>
#include <httplib.h>

#include <utility>
#include <vector>

#include "base/rfc3339.h"
#include "unit/web/raw_client.h"

namespace kem {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    HttpContent content;
    content.scrape = [this](const std::string& accept) {
      return Scrape{"text/" + (accept == "*/*" ? "plain" : accept),
                    [left = pieces](std::string& out) mutable {
                      out += "some_metric 1\n";
                      return --left > 0;
                    }};
    };
    content.routes = {{"/", [](const RouteRequest&, const std::stop_token&) {
                         return RouteAnswer{.content_type = "text/html",
                                            .body = "<p>page</p>\n"};
                       }}};
    content.reload = [this]() -> Result<std::string> {
      if (ready) return std::string("ok");
      return Error{ErrorCode::kInvalidConfig, "kept: x"};
    };
    content.can_scrape = [this] {
      return Health{caught_up, caught_up ? "" : "catching up\n"};
    };
    content.livez = [] { return Health{true, "ok\n"}; };
    content.readyz = [this] {
      return ready ? Health{true, "ok\n"} : Health{false, "not ready: x\n"};
    };
    auto started = HttpServer::Start({{"127.0.0.1", 0}, "/m.txt", "", {}},
                                     std::move(content), stats);
    EXPECT_TRUE(started) << started.error().message;
    server = std::move(*started);
  }

  httplib::Result Get(const std::string& path,
                      const httplib::Headers& headers = {}) {
    httplib::Client client("http://" + server->address());
    return client.Get(path, headers);
  }

  HttpStats stats;
  int pieces = 3;
  bool ready = true;
  bool caught_up = true;
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpServerTest, ServesAllPiecesOfAScrape) {
  const auto reply = Get("/m.txt");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "some_metric 1\nsome_metric 1\nsome_metric 1\n");
  EXPECT_EQ(reply->get_header_value("Content-Type"), "text/plain");
}

TEST_F(HttpServerTest, AScrapeGetsTheAcceptHeader) {
  const auto reply = Get("/m.txt", {{"Accept", "odd"}});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->get_header_value("Content-Type"), "text/odd");
}

TEST_F(HttpServerTest, AScrapeGetsAllAcceptHeaders) {
  RawClient client(server->address());
  client.Send(
      "GET /m.txt HTTP/1.1\r\nHost: a\r\nAccept: x\r\nAccept: y;q=0.5\r\n"
      "Accept-Encoding: br\r\nAccept-Encoding: GZIP\r\n"
      "Connection: close\r\n\r\n");
  const std::string answer = client.Read();
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/x,y;q=0.5\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Encoding: gzip\r\n"));
}

TEST_F(HttpServerTest, ReloadsByPostOnly) {
  httplib::Client client("http://" + server->address());
  EXPECT_EQ(client.Post("/-/reload")->status, 200);
  ready = false;
  const auto reply = client.Post("/-/reload");
  EXPECT_EQ(reply->status, 500);
  EXPECT_EQ(reply->body, "kept: x\n");
  const auto read = Get("/-/reload");
  EXPECT_EQ(read->status, 405);
  EXPECT_EQ(read->get_header_value("Allow"), "POST");
}

TEST_F(HttpServerTest, ReadsByGetAndHeadOnly) {
  httplib::Client client("http://" + server->address());
  for (const char* path : {"/", "/m.txt", "/livez", "/readyz"}) {
    EXPECT_EQ(client.Head(path)->status, 200) << path;
    const auto reply = client.Delete(path);
    EXPECT_EQ(reply->status, 405) << path;
    EXPECT_EQ(reply->get_header_value("Allow"), "GET, HEAD") << path;
  }
  EXPECT_EQ(client.Delete("/no")->status, 404);
}

TEST_F(HttpServerTest, SendsTheHeadersOfAnOriginServerAndNoOthers) {
  const std::vector<std::string> requests = {"GET /livez HTTP/1.1\r\nHost: a",
                                             "GET /m.txt HTTP/1.1\r\nHost: a",
                                             "GET /no HTTP/1.1\r\nHost: a",
                                             "DELETE / HTTP/1.1\r\nHost: a",
                                             "GET / HTTP/1.0",
                                             "GET / HTTP/1.1",
                                             "nonsense"};
  for (const std::string& request : requests) {
    RawClient client(server->address());
    client.Send(request + "\r\nRange: bytes=0-1\r\n\r\n");
    client.EndSending();
    const std::string answer = client.Read();
    const std::string head = answer.substr(0, answer.find("\r\n\r\n") + 2);
    const size_t date = head.find("\r\nDate: ");
    ASSERT_NE(date, std::string::npos) << answer;
    EXPECT_TRUE(ParseHttpDate(head.substr(date + 8, 29))) << answer;
    EXPECT_EQ(head[date + 37], '\r') << answer;
    for (const char* absent : {"Keep-Alive", "Accept-Ranges", "keep-alive"}) {
      EXPECT_THAT(head, Not(HasSubstr(absent)));
    }
  }
}

TEST_F(HttpServerTest, AnswersRequestsByTheRulesForHosts) {
  const std::pair<const char*, const char*> cases[] = {
      {"GET /livez HTTP/1.1\r\n", "400"},
      {"GET /livez HTTP/1.1\r\nHost: a\r\nHost: a\r\n", "400"},
      {"GET /livez HTTP/1.1\r\nHost: a b\r\n", "400"},
      {"GET /livez HTTP/1.1\r\nHost: \r\n", "200"},
      {"GET /livez HTTP/1.0\r\n", "200"},
      {"GET http://other:1/livez?x HTTP/1.1\r\nHost: a\r\n", "200"},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n", "405"},
      {"BREW /livez HTTP/1.1\r\nHost: a\r\n", "405"}};
  for (const auto& [head, status] : cases) {
    RawClient client(server->address());
    client.Send(std::string(head) + "Connection: close\r\n\r\n");
    client.EndSending();
    EXPECT_THAT(client.Read(), StartsWith(std::string("HTTP/1.1 ") + status))
        << head;
  }
}

TEST_F(HttpServerTest, ANewServerMayTakeThePortAtOnce) {
  const std::string address = server->address();
  Get("/livez");
  server.reset();
  HttpContent content;
  content.livez = [] { return Health{true, "ok\n"}; };
  auto started = HttpServer::Start({*ParseListenAddress(address), "/m", "", {}},
                                   std::move(content), stats);
  ASSERT_TRUE(started) << started.error().message;
  server = std::move(*started);
  EXPECT_EQ(Get("/livez")->status, 200);
}

TEST_F(HttpServerTest, CompressesForAcceptEncoding) {
  pieces = 1000;
  const auto reply = Get("/m.txt", {{"Accept-Encoding", "gzip"}});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->get_header_value("Content-Encoding"), "gzip");
  EXPECT_EQ(reply->body.size(), 14000U);  // the client decoded it
}

TEST_F(HttpServerTest, TelemetryPathIsNoPattern) {
  EXPECT_EQ(Get("/mxtxt")->status, 404);
}

TEST_F(HttpServerTest, HealthIsInStatusAndBody) {
  EXPECT_EQ(Get("/livez")->status, 200);
  EXPECT_EQ(Get("/readyz")->body, "ok\n");
  ready = false;
  const auto reply = Get("/readyz");
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->body, "not ready: x\n");
}

TEST_F(HttpServerTest, AScrapeCanComeTooEarly) {
  caught_up = false;
  const auto reply = Get("/m.txt");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->body, "catching up\n");
  EXPECT_EQ(reply->get_header_value("Retry-After"), "1");
  EXPECT_EQ(Get("/livez")->status, 200);
  caught_up = true;
  EXPECT_EQ(Get("/m.txt")->status, 200);
}

TEST_F(HttpServerTest, PageIsHtml) {
  const auto reply = Get("/");
  ASSERT_TRUE(reply);
  EXPECT_THAT(reply->get_header_value("Content-Type"), StartsWith("text/html"));
  EXPECT_EQ(reply->body, "<p>page</p>\n");
}

TEST_F(HttpServerTest, CountsAnswersUnderFewNames) {
  Get("/m.txt");
  Get("/livez");
  Get("/livez");
  Get("/some/hostile/path");
  server.reset();
  const auto requests = stats.Requests();
  EXPECT_EQ(requests.at({"/m.txt", 200}), 1U);
  EXPECT_EQ(requests.at({"/livez", 200}), 2U);
  EXPECT_EQ(requests.at({"other", 404}), 1U);
}

TEST_F(HttpServerTest, APortInUseIsAnError) {
  HttpStats other;
  const auto second = HttpServer::Start(
      {*ParseListenAddress(server->address()), "/m", "", {}}, {}, other);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInternal);
  EXPECT_THAT(second.error().message, HasSubstr(server->address()));
}

TEST(HttpServerAddressTest, EmptyHostIsEveryInterface) {
  HttpStats stats;
  HttpContent content;
  content.livez = [] { return Health{true, "ok\n"}; };
  const auto server =
      HttpServer::Start({{"", 0}, "/m", "", {}}, std::move(content), stats);
  ASSERT_TRUE(server);
  const std::string address = (*server)->address();
  httplib::Client client("127.0.0.1",
                         std::stoi(address.substr(address.rfind(':') + 1)));
  const auto reply = client.Get("/livez");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
}

}  // namespace
}  // namespace kem
