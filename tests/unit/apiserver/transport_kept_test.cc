// When a kept connection serves the next request, and when it does not, over
// plain TCP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "unit/apiserver/kept_helpers.h"
#include "unit/apiserver/transport_helpers.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

TEST(TransportKeptTest, OneConnectionServesAThousandRequests) {
  const ManyServer server({ManyServer::Answers(kOk)});
  KeptClient client(AccessTo(server.Url()));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 1U);
  EXPECT_EQ(server.connections(), 1U);
}

TEST(TransportKeptTest, OthersAskToCloseTheConnection) {
  std::vector<std::string> heads;
  const ManyServer server({[&heads](Peer& peer) {
    heads.push_back(peer.ReadHead());
    peer.Send(kOk);
  }});
  EXPECT_EQ(KeptClient(AccessTo(server.Url())).Get(), "200 ok");
  WholeAnswer answer;
  ApiTransport(AccessTo(server.Url()), TestResolver()).Send({"/x"}, answer, {});
  ASSERT_EQ(heads.size(), 2U);
  EXPECT_THAT(heads[0], Not(HasSubstr("Connection")));
  EXPECT_THAT(heads[1], HasSubstr("\r\nConnection: close\r\n"));
}

TEST(TransportKeptTest, EachTransportHasItsOwnConnection) {
  const ManyServer server({ManyServer::Answers(kOk)});
  const ApiTransport transport(AccessTo(server.Url()), TestResolver());
  FakeClock clock;
  std::atomic<uint64_t> opened = 0;
  const auto one = transport.Keeping(clock, &opened);
  const auto two = transport.Keeping(clock, &opened);
  for (HttpTransport* each : {one.get(), two.get(), one.get(), two.get()}) {
    WholeAnswer answer;
    EXPECT_EQ(each->Send({"/x"}, answer, {}).end, HttpEnd::kComplete);
  }
  EXPECT_EQ(opened, 2U);
}

// Each response leaves the connection at its exact end.
TEST(TransportKeptTest, IsReusedAfterEveryResponseWithAnEnd) {
  const std::pair<std::string, std::string> cases[] = {
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n"
       "0\r\nTrailer: x\r\nOther: y\r\n\r\n",
       "200 ok"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "200 "},
      {"HTTP/1.1 204 No Content\r\n\r\n", "204 "},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "304 "},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 "},
      {"HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n" + std::string(kOk),
       "200 ok"},
      {"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno", "413 no"},
      {"HTTP/1.1 200 OK\r\nConnection: keep-alive, x-close\r\nKeep-Alive: "
       "timeout=soon, max=2\r\nContent-Length: 2\r\n\r\nok",
       "200 ok"},
  };
  for (const auto& [answer, expected] : cases) {
    const ManyServer server({ManyServer::Answers(answer)});
    KeptClient client(AccessTo(server.Url()));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.Get(), expected);
    EXPECT_EQ(client.opened, 1U) << answer;
  }
}

// More than WholeAnswer keeps; the rest is read, too.
TEST(TransportKeptTest, IsReusedAfterALongBody) {
  const std::string body(size_t{200} << 10, 'b');
  const ManyServer server(
      {ManyServer::Answers("HTTP/1.1 200 OK\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\n\r\n" + body)});
  KeptClient client(AccessTo(server.Url()));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(client.Get(), HasSubstr("200 bbb"));
  EXPECT_EQ(client.opened, 1U);
}

TEST(TransportKeptTest, ABodyIsSentWithEachRequest) {
  const std::string body(size_t{3} << 20, 'r');
  std::atomic<int> whole = 0;
  const ManyServer server({[&](Peer& peer) {
    while (peer.ReadHead().starts_with("POST /x ")) {
      std::string got;
      while (got.size() < body.size()) {
        const std::string bytes = peer.ReadBytes(body.size() - got.size());
        if (bytes.empty()) return;
        got += bytes;
      }
      if (got == body) ++whole;
      peer.Send(kOk);
    }
  }});
  KeptClient client(AccessTo(server.Url()));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.Get({.path = "/x", .body = body}), "200 ok");
  }
  EXPECT_EQ(whole, 3);
  EXPECT_EQ(client.opened, 1U);
}

// The server waits for the client's end: nothing more is sent to it.
TEST(TransportKeptTest, IsNotReusedAfterAResponseThatAnnouncesItsEnd) {
  const std::string ok = "\r\nContent-Length: 2\r\n\r\nok";
  for (const std::string& answer :
       {"HTTP/1.1 200 OK\r\nConnection: close" + ok,
        "HTTP/1.1 200 OK\r\nConnection: a\r\nConnection: b , CLOSE" + ok,
        "HTTP/1.0 200 OK\r\nConnection: keep-alive" + ok,
        "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1" + ok,
        "HTTP/1.1 200 OK\r\nKeep-Alive: max=5, TimeOut=0" + ok,
        // Two lengths, and bytes after the response: smuggling.
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        kOk + std::string(kOk), kOk + std::string("\r\n")}) {
    Signal over;
    std::string more;
    const ManyServer server({[&](Peer& peer) {
                               peer.ReadHead();
                               peer.Send(answer);
                               more = peer.ReadByte();
                               over.Set();
                             },
                             ManyServer::Answers(kOk)});
    KeptClient client(AccessTo(server.Url()));
    EXPECT_EQ(client.Get(), "200 ok");
    EXPECT_EQ(client.Get(), "200 ok");
    over.Wait();
    EXPECT_EQ(more, "") << answer;
    EXPECT_EQ(client.Get(), "200 ok");
    EXPECT_EQ(client.opened, 2U) << answer;
    EXPECT_EQ(server.connections(), 2U);
  }
}

TEST(TransportKeptTest, IsNotReusedAfterABodyThatOnlyTheEndEnds) {
  const ManyServer server({[](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\n\r\nok");
  }});
  KeptClient client(AccessTo(server.Url()));
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 2U);
}

// What an idle connection receives is noticed before the next request.
TEST(TransportKeptTest, IsNotReusedAfterAnythingThatComesWhileIdle) {
  for (const std::string& idle :
       {std::string(), std::string("x"), std::string(kOk),
        std::string("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                    "Content-Length: 0\r\n\r\n")}) {
    Signal sent;
    Signal over;
    std::string more;
    const ManyServer server({[&](Peer& peer) {
                               peer.ReadHead();
                               peer.Send(kOk);
                               peer.ReadHead();
                               peer.Send(kOk + idle);
                               if (idle.empty()) peer.HalfClose();
                               sent.Set();
                               more = peer.ReadByte();
                               over.Set();
                             },
                             ManyServer::Answers(kOk)});
    KeptClient client(AccessTo(server.Url()));
    EXPECT_EQ(client.Get(), "200 ok");
    EXPECT_EQ(client.Get(), "200 ok");
    sent.Wait();
    EXPECT_EQ(client.Get(), "200 ok");
    over.Wait();
    EXPECT_EQ(more, "") << idle;
    EXPECT_EQ(client.opened, 2U) << idle;
  }
}

TEST(TransportKeptTest, IsReusedForAnHour) {
  const ManyServer server({ManyServer::Answers(kOk)});
  KeptClient client(AccessTo(server.Url()));
  EXPECT_EQ(client.Get(), "200 ok");
  client.clock.Advance(minutes(59));
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 1U);
  client.clock.Advance(minutes(1));
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 2U);
}

TEST(TransportKeptTest, IsReusedForASecondLessThanTheServerKeepsIt) {
  const ManyServer server(
      {ManyServer::Answers("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=10, "
                           "max=100\r\nContent-Length: 2\r\n\r\nok")});
  KeptClient client(AccessTo(server.Url()));
  EXPECT_EQ(client.Get(), "200 ok");
  for (int i = 0; i < 3; ++i) {
    client.clock.Advance(milliseconds(8999));
    EXPECT_EQ(client.Get(), "200 ok");
  }
  EXPECT_EQ(client.opened, 1U);
  client.clock.Advance(seconds(9));
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 2U);
}

TEST(TransportKeptTest, APlainProxyIsKeptForItsServer) {
  std::vector<std::string> heads;
  const ManyServer proxy({[&heads](Peer& peer) {
    while (true) {
      std::string head = peer.ReadHead();
      if (head.empty()) return;
      heads.push_back(std::move(head));
      peer.Send(kOk);
    }
  }});
  ServerAccess access = AccessTo("http://k:8080");
  access.proxy = *ParseProxyUrl(proxy.Url());
  KeptClient client(access);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 1U);
  ASSERT_EQ(heads.size(), 2U);
  for (const std::string& head : heads) {
    EXPECT_THAT(head, HasSubstr("GET http://k:8080/x HTTP/1.1\r\n"));
  }
}

}  // namespace
}  // namespace kem
