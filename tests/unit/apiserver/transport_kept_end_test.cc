// The ends of requests on a kept connection: what is sent once more, and what
// ends the connection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "unit/apiserver/kept_helpers.h"
#include "unit/apiserver/transport_helpers.h"

namespace kem {
namespace {

using std::chrono::milliseconds;

// Answers the first request of a connection and plays `next` for the second.
ManyServer::Script OnceThen(ManyServer::Script next) {
  return [next = std::move(next)](Peer& peer) {
    peer.ReadHead();
    peer.Send(kOk);
    if (!peer.ReadHead().empty()) next(peer);
  };
}

void EndsIt(Peer&) {}
void ResetsIt(Peer& peer) { peer.Reset(); }

TEST(TransportKeptEndTest, ARequestThatIsNotAnsweredIsSentOnceMore) {
  for (const auto& end : {EndsIt, ResetsIt}) {
    const ManyServer server({OnceThen(end), ManyServer::Answers(kOk)});
    KeptClient client(AccessTo(server.Url()));
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(client.Get({.path = "/x", .body = "{}"}), "200 ok");
    }
    EXPECT_EQ(client.opened, 2U);
    EXPECT_EQ(server.connections(), 2U);
  }
}

TEST(TransportKeptEndTest, ARequestIsNotSentAThirdTime) {
  const ManyServer server(
      {OnceThen(EndsIt), [](Peer& peer) { peer.ReadHead(); }});
  KeptClient client(AccessTo(server.Url()));
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.Get(), "the server closed the connection");
  EXPECT_EQ(server.connections(), 2U);
  EXPECT_EQ(client.Get(), "the server closed the connection");
  EXPECT_EQ(server.connections(), 3U);  // once on a new connection
}

TEST(TransportKeptEndTest, ARequestIsNotSentAgainAfterAByteOfTheResponse) {
  for (const char* const begin :
       {"H", "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"}) {
    const ManyServer server(
        {OnceThen([begin](Peer& peer) { peer.Send(begin); }),
         ManyServer::Answers(kOk)});
    KeptClient client(AccessTo(server.Url()));
    EXPECT_EQ(client.Get(), "200 ok");
    EXPECT_EQ(client.Get(), "the server closed the connection");
    EXPECT_EQ(server.connections(), 1U);
    EXPECT_EQ(client.Get(), "200 ok");
    EXPECT_EQ(client.opened, 2U);
  }
}

TEST(TransportKeptEndTest, AResponseThatIsNotHttpEndsTheConnection) {
  const ManyServer server({OnceThen([](Peer& peer) {
                             peer.Send("nonsense\r\n\r\n");
                             peer.WaitForEnd();
                           }),
                           ManyServer::Answers(kOk)});
  KeptClient client(AccessTo(server.Url()));
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.Get(), "the response is not valid HTTP/1.1");
  EXPECT_EQ(server.connections(), 1U);
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 2U);
}

TEST(TransportKeptEndTest, AReaderThatEndsTheResponseEndsTheConnection) {
  const ManyServer server({ManyServer::Answers(kOk)});
  KeptClient client(AccessTo(server.Url()));
  RecordingHandler at_head;
  at_head.accept_head = false;
  EXPECT_EQ(client.Send(at_head).end, HttpEnd::kAborted);
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 2U);
  RecordingHandler in_body;
  in_body.on_body = [](const std::string&) { return false; };
  EXPECT_EQ(client.Send(in_body).end, HttpEnd::kAborted);
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 3U);
}

TEST(TransportKeptEndTest, EachRequestHasItsOwnLimits) {
  const ManyServer server({OnceThen([](Peer& peer) { peer.WaitForEnd(); }),
                           OnceThen([](Peer& peer) {
                             while (
                                 peer.Send("HTTP/1.1 100 Continue\r\n\r\n")) {
                             }
                           }),
                           ManyServer::Answers(kOk)});
  KeptClient client(AccessTo(server.Url()));
  EXPECT_EQ(client.Get(), "200 ok");
  HttpRequest request;
  request.read_timeout = milliseconds(60);
  EXPECT_EQ(client.Get(request), "reading: no progress for 60 ms");
  EXPECT_EQ(server.connections(), 1U);  // silence is no closed connection
  EXPECT_EQ(client.Get(), "200 ok");
  request = {};
  request.deadline = milliseconds(100);
  EXPECT_THAT(client.Get(request),
              testing::AnyOf("reading: timed out after 100 ms",
                             "the response head is over 256 KiB"));
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 3U);
}

TEST(TransportKeptEndTest, AStopEndsARequestOnAKeptConnection) {
  std::stop_source stop;
  const ManyServer server({OnceThen([&stop](Peer& peer) {
    stop.request_stop();
    peer.WaitForEnd();
  })});
  KeptClient client(AccessTo(server.Url()));
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.Get({}, stop.get_token()), "stopped");
  EXPECT_EQ(server.connections(), 1U);
}

TEST(TransportKeptEndTest, AStopBeforeARequestSendsNothing) {
  Signal over;
  std::string more;
  const ManyServer server({[&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kOk);
    more = peer.ReadByte();
    over.Set();
  }});
  KeptClient client(AccessTo(server.Url()));
  EXPECT_EQ(client.Get(), "200 ok");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(client.Get({}, stop.get_token()), "stopped");
  over.Wait();
  EXPECT_EQ(more, "");
}

// A server that rejects a large request early and closes.
TEST(TransportKeptEndTest, IsNotReusedWhenTheRequestWasNotReadWhole) {
  const std::string body(size_t{8} << 20, 'r');
  const ManyServer server({[](Peer& peer) {
                             peer.ReadHead();
                             peer.Send(
                                 "HTTP/1.1 413 Too Large\r\n"
                                 "Content-Length: 2\r\n\r\nno");
                             peer.HalfClose();
                             peer.WaitForEnd();
                           },
                           ManyServer::Answers(kOk)});
  KeptClient client(AccessTo(server.Url()));
  EXPECT_EQ(client.Get({.path = "/x", .body = body}), "413 no");
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 2U);
}

}  // namespace
}  // namespace kem
