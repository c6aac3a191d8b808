// Requests through a proxy, and the messages when it refuses them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "apiserver/api_transport.h"
#include "unit/apiserver/fakes.h"
#include "unit/net/test_server.h"

namespace kem {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

ServerAccess By(const std::string& scheme, const TestServer& proxy,
                const std::string& server, const std::string& user = "") {
  ServerAccess access;
  access.origin = "test";
  access.server = *ParseServerUrl(server, false);
  access.proxy = *ParseProxyUrl(scheme + "://" + user +
                                "127.0.0.1:" + std::to_string(proxy.Port()));
  return access;
}

std::string ReadBytes(Peer& peer, size_t count) {
  std::string bytes;
  while (bytes.size() < count) {
    const std::string byte = peer.ReadByte();
    if (byte.empty()) break;
    bytes += byte;
  }
  return bytes;
}

// The message of a request that must fail.
std::string Failure(ServerAccess access) {
  RecordingHandler handler;
  const HttpOutcome outcome =
      ApiTransport(std::move(access), TestResolver()).Send({"/x"}, handler, {});
  EXPECT_EQ(outcome.end, HttpEnd::kUnreachable);
  return outcome.message;
}

TEST(TransportProxyTest, NamesAPlainServerInTheRequest) {
  std::string head;
  TestServer proxy([&head](Peer& peer) {
    head = peer.ReadHead();
    peer.Send(kAnswer);
  });
  RecordingHandler handler;
  const HttpOutcome outcome =
      ApiTransport(By("http", proxy, "http://k:8080/p", "a:b@"), TestResolver())
          .Send({"/x?y=1"}, handler, {});
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
  EXPECT_EQ(handler.Body(), "ok");
  EXPECT_THAT(head, StartsWith("GET http://k:8080/p/x?y=1 HTTP/1.1\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nHost: k:8080\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nProxy-Authorization: Basic YTpi\r\n"));
}

TEST(TransportProxyTest, AsksForATunnelToATlsServer) {
  std::string head;
  TestServer proxy([&head](Peer& peer) {
    head = peer.ReadHead();
    peer.Send("HTTP/1.1 403 No way\r\n\r\n");
  });
  const std::string message = Failure(By("http", proxy, "https://k", "a:b@"));
  EXPECT_THAT(head, StartsWith("CONNECT k:443 HTTP/1.1\r\nHost: k:443\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nProxy-Authorization: Basic YTpi\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("\r\nAuthorization")));
  EXPECT_EQ(message, "proxy http://127.0.0.1:" + std::to_string(proxy.Port()) +
                         ": it rejected CONNECT: 403 No way");
}

TEST(TransportProxyTest, TellsHowATunnelFailed) {
  const std::string junk(9000, 'x');
  const std::pair<std::string, const char*> cases[] = {
      {"", "closed the connection"},
      {"HTTP/1.1 200 OK\r\n", "closed the connection"},
      {"SSH-2.0-x\r\n\r\n", "its response to CONNECT is not HTTP/1.1"},
      {"HTTP/1.1 200\r\nA: " + junk, "its response to CONNECT is over 8 KiB"},
      {"HTTP/1.1 200 OK\r\n\r\nmore", "it sent data after its response"},
  };
  for (const auto& [answer, why] : cases) {
    TestServer proxy([&answer = answer](Peer& peer) {
      peer.ReadHead();
      peer.Send(answer);
    });
    EXPECT_THAT(Failure(By("http", proxy, "https://k")), HasSubstr(why));
  }
}

TEST(TransportProxyTest, SpeaksSocks) {
  std::string asked;
  TestServer proxy([&asked](Peer& peer) {
    asked = ReadBytes(peer, 3);
    peer.Send(std::string("\x05\x00", 2));
    asked += ReadBytes(peer, 8);
    peer.Send(std::string("\x05\x00\x00\x03\x01h\x00\x01", 8));
    peer.ReadHead();
    peer.Send(kAnswer);
  });
  RecordingHandler handler;
  const HttpOutcome outcome =
      ApiTransport(By("socks5", proxy, "http://k:258"), TestResolver())
          .Send({"/x"}, handler, {});
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
  EXPECT_EQ(asked, std::string("\x05\x01\x00"
                               "\x05\x01\x00\x03\x01k\x01\x02",
                               11));
}

TEST(TransportProxyTest, TellsHowSocksFailed) {
  const auto fail = [](const std::string& answers, const std::string& user) {
    TestServer proxy([&answers](Peer& peer) {
      peer.ReadByte();
      peer.Send(answers);
      peer.WaitForEnd();
    });
    return Failure(By("socks5", proxy, "http://10.0.0.1", user));
  };
  EXPECT_THAT(fail("HTTP/1.1 400", ""), HasSubstr("is not a SOCKS5 proxy"));
  EXPECT_THAT(fail("\x05\xFF", ""), HasSubstr("requires a user name"));
  EXPECT_THAT(fail("\x05\xFF", "a:b@"), HasSubstr("neither a user name"));
  EXPECT_THAT(fail("\x05\x02\x01\x01", "a:hush@"),
              HasSubstr("rejected the user name and password"));
  EXPECT_THAT(fail(std::string("\x05\x00\x05\x05\x00\x01", 6), ""),
              HasSubstr("SOCKS5: connection refused"));
}

TEST(TransportProxyTest, AStopEndsTheWaitForATunnel) {
  Signal asked;
  TestServer proxy([&asked](Peer& peer) {
    peer.ReadHead();
    asked.Set();
    peer.WaitForEnd();
  });
  ApiTransport transport(By("http", proxy, "https://k"), TestResolver());
  std::stop_source stop;
  RecordingHandler handler;
  HttpOutcome outcome;
  std::jthread thread(
      [&] { outcome = transport.Send({"/x"}, handler, stop.get_token()); });
  asked.Wait();
  stop.request_stop();
  thread.join();
  EXPECT_EQ(outcome.end, HttpEnd::kStopped);
}

}  // namespace
}  // namespace kem
