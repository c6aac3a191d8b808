// The requests of ApiTransport, and what its handler receives, over TCP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>

#include "apiserver/api_transport.h"
#include "unit/apiserver/fakes.h"
#include "unit/apiserver/transport_helpers.h"
#include "unit/net/test_server.h"

namespace kem {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(TransportTest, PostsABody) {
  std::string head;
  std::string body;
  TestServer server([&](Peer& peer) {
    head = peer.ReadHead();
    for (int i = 0; i < 7; ++i) body += peer.ReadByte();
    peer.Send("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok");
  });
  RecordingHandler handler;
  HttpRequest request{"/x"};
  request.body = R"({"a":1})";
  EXPECT_EQ(Get(server, handler, request).end, HttpEnd::kComplete);
  EXPECT_EQ(handler.Body(), "ok");
  EXPECT_THAT(head, testing::StartsWith("POST /x HTTP/1.1\r\n"));
  EXPECT_THAT(head, testing::HasSubstr("\r\nContent-Length: 7\r\n"));
  EXPECT_THAT(head,
              testing::HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_EQ(body, R"({"a":1})");
}

TEST(TransportTest, SendsThePathAsGivenAndAsksForNoEncoding) {
  std::string sent;
  TestServer server([&](Peer& peer) {
    sent = peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  RecordingHandler handler;
  HttpRequest request;
  request.path = "/api/v1/events?limit=500&continue=a%2Fb+c=";
  const HttpOutcome outcome =
      ApiTransport(AccessTo(server.Url() + "/prefix/"), TestResolver())
          .Send(request, handler, {});
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
  EXPECT_EQ(handler.Body(), "ok");
  EXPECT_THAT(sent,
              StartsWith("GET /prefix/api/v1/events?limit=500&continue=a%2Fb+"
                         "c= HTTP/1.1\r\n"));
  EXPECT_THAT(sent, AllOf(HasSubstr("\r\nAccept-Encoding: identity\r\n"),
                          HasSubstr("\r\nAccept: application/json\r\n"),
                          HasSubstr("\r\nUser-Agent: kube-event-metrics/"),
                          HasSubstr("\r\nConnection: close\r\n"),
                          HasSubstr("\r\nHost: 127.0.0.1:" +
                                    std::to_string(server.Port()) + "\r\n")));
}

TEST(TransportTest, ReadsStatusDateAndRetryAfter) {
  TestServer server([](Peer& peer) {
    peer.ReadHead();
    peer.Send(
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n"
        "Date: Mon, 23 Nov 2026 12:53:29 GMT\r\nContent-Length: 4\r\n\r\nwait");
  });
  RecordingHandler handler;
  EXPECT_EQ(Get(server, handler).end, HttpEnd::kComplete);
  ASSERT_EQ(handler.heads.size(), 1U);
  EXPECT_EQ(handler.heads[0].status, 429);
  EXPECT_EQ(handler.heads[0].retry_after, seconds(7));
  EXPECT_EQ(handler.heads[0].date,
            WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23)) +
                std::chrono::hours(12) + std::chrono::minutes(53) +
                seconds(29));
  EXPECT_EQ(handler.Body(), "wait");
}

TEST(TransportTest, ComparesARetryAfterWithTheServersClock) {
  const std::pair<const char*, std::optional<seconds>> cases[] = {
      {"Mon, 23 Nov 2026 12:55:00 GMT", seconds(91)},
      {"Mon, 23 Nov 2026 12:53:29 GMT", seconds(0)},
      {"Mon, 23 Nov 2026 12:53:28 GMT", std::nullopt}};
  for (const auto& [date, wait] : cases) {
    TestServer server([date = date](Peer& peer) {
      peer.ReadHead();
      peer.Send(std::string("HTTP/1.1 503 No\r\nRetry-After: ") + date +
                "\r\nDate: Mon, 23 Nov 2026 12:53:29 GMT\r\n"
                "Content-Length: 0\r\n\r\n");
    });
    RecordingHandler handler;
    EXPECT_EQ(Get(server, handler).end, HttpEnd::kComplete) << date;
    ASSERT_EQ(handler.heads.size(), 1U) << date;
    EXPECT_EQ(handler.heads[0].retry_after, wait) << date;
  }
}

TEST(TransportTest, IgnoresARetryAfterThatIsNoCount) {
  for (const std::string value :
       {"soon", "-1", "1.5", "", "Mon, 23 Nov 2026 12:53:29 GMT",
        "99999999999999999999"}) {
    TestServer server([&](Peer& peer) {
      peer.ReadHead();
      peer.Send("HTTP/1.1 503 No\r\nRetry-After: " + value +
                "\r\nContent-Length: 0\r\n\r\n");
    });
    RecordingHandler handler;
    EXPECT_EQ(Get(server, handler).end, HttpEnd::kComplete) << value;
    ASSERT_EQ(handler.heads.size(), 1U) << value;
    EXPECT_FALSE(handler.heads[0].retry_after) << value;
  }
}

TEST(TransportTest, GivesChunksAsTheyArrive) {
  RecordingHandler handler;
  TestServer server([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kChunkedHead + Chunk("one\n"));
    handler.WaitForBody(4);
    peer.Send(Chunk("two\n"));
    handler.WaitForBody(8);
    peer.Send("0\r\n\r\n");
    peer.WaitForEnd();
  });
  const HttpOutcome outcome = Get(server, handler);
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
  EXPECT_EQ(outcome.message, "");
  EXPECT_EQ(handler.Body(), "one\ntwo\n");
}

TEST(TransportTest, RefusesAPathThatWouldEndItsLine) {
  RecordingHandler handler;
  for (const char* path : {"/a b", "/a\r\nX: y", "/\xC3\xA4"}) {
    const HttpOutcome outcome =
        ApiTransport(AccessTo("http://127.0.0.1:1"), TestResolver())
            .Send({path}, handler, {});
    EXPECT_EQ(outcome.end, HttpEnd::kUnreachable);
    EXPECT_EQ(outcome.message, "the request's path is not percent-encoded");
  }
}

TEST(TransportTest, FollowsNoRedirect) {
  std::atomic<int> connections = 0;
  TestServer server([&](Peer& peer) {
    ++connections;
    peer.ReadHead();
    peer.Send(
        "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: "
        "0\r\n\r\n");
  });
  RecordingHandler handler;
  EXPECT_EQ(Get(server, handler).end, HttpEnd::kComplete);
  ASSERT_EQ(handler.heads.size(), 1U);
  EXPECT_EQ(handler.heads[0].status, 302);
  EXPECT_EQ(connections, 1);
}

TEST(TransportTest, GivesTheHeadOfAnAnswerWithoutBody) {
  for (const int status : {204, 304}) {
    TestServer server([&](Peer& peer) {
      peer.ReadHead();
      peer.Send("HTTP/1.1 " + std::to_string(status) + " x\r\n\r\n");
      peer.WaitForEnd();
    });
    RecordingHandler handler;
    EXPECT_EQ(Get(server, handler).end, HttpEnd::kComplete);
    ASSERT_EQ(handler.heads.size(), 1U);
    EXPECT_EQ(handler.heads[0].status, status);
  }
}

TEST(TransportTest, SkipsInterimResponses) {
  TestServer server([](Peer& peer) {
    peer.ReadHead();
    peer.Send(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n"
        "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  RecordingHandler handler;
  EXPECT_EQ(Get(server, handler).end, HttpEnd::kComplete);
  ASSERT_EQ(handler.heads.size(), 1U);
  EXPECT_EQ(handler.heads[0].status, 200);
  EXPECT_EQ(handler.Body(), "ok");
}

TEST(TransportTest, IgnoresChunkExtensionsAndTrailers) {
  TestServer server([](Peer& peer) {
    peer.ReadHead();
    peer.Send(
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: Chunked\r\n"
        "\r\n0a;x=y\r\n0123456789\r\n1 \r\nx\r\n0\r\nA: b\r\n\r\n");
    peer.WaitForEnd();
  });
  RecordingHandler handler;
  const HttpOutcome outcome = Get(server, handler);
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
  EXPECT_EQ(handler.Body(), "0123456789x");
}

TEST(TransportTest, SendsNoCredentialsOverPlainHttp) {
  std::string sent;
  TestServer server([&](Peer& peer) {
    sent = peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  ServerAccess access = AccessTo(server.Url());
  access.token.text = "secret";
  access.username = "user";
  access.password = "pass";
  RecordingHandler handler;
  EXPECT_EQ(ApiTransport(access, TestResolver()).Send({"/x"}, handler, {}).end,
            HttpEnd::kComplete);
  EXPECT_THAT(sent, AllOf(HasSubstr("GET /x"), Not(HasSubstr("Authorization")),
                          Not(HasSubstr("secret"))));
}

TEST(TransportTest, SpeaksIpv6) {
  std::string sent;
  TestServer server(
      [&](Peer& peer) {
        sent = peer.ReadHead();
        peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      },
      {}, /*ipv6=*/true);
  // Cannot run on a machine without IPv6.
  if (!server.Listening()) return;
  RecordingHandler handler;
  EXPECT_EQ(Get(server, handler).end, HttpEnd::kComplete);
  EXPECT_THAT(sent, HasSubstr("\r\nHost: [::1]:"));
}

}  // namespace
}  // namespace kem
