#include "net/tcp_connect.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <stop_token>
#include <thread>

#include "unit/net/fake_name_server.h"
#include "unit/net/test_server.h"

namespace kem {
namespace {

using std::chrono::seconds;

int Option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(::getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

class TcpConnectTest : public ::testing::Test {
 protected:
  Resolver resolver;
};

TEST_F(TcpConnectTest, SetsWhatFindsADeadPeer) {
  TestServer server([](Peer& peer) { peer.WaitForEnd(); });
  IoWaiter waiter({}, seconds(10));
  const TcpConnectOutcome outcome =
      TcpConnect("127.0.0.1", server.Port(), seconds(5), resolver, waiter);
  ASSERT_TRUE(outcome.fd.has_value()) << outcome.message;
  const int fd = outcome.fd.get();
  EXPECT_EQ(Option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
  EXPECT_NE(Option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(TcpConnectTest, TriesTheNextAddressOfAName) {
  // localhost resolves to ::1 first on most machines; only 127.0.0.1 listens.
  TestServer server([](Peer& peer) { peer.WaitForEnd(); });
  IoWaiter waiter({}, seconds(10));
  EXPECT_TRUE(
      TcpConnect("localhost", server.Port(), seconds(5), resolver, waiter)
          .fd.has_value());
}

TEST_F(TcpConnectTest, TellsWhyNot) {
  IoWaiter waiter({}, seconds(10));
  const TcpConnectOutcome refused =
      TcpConnect("127.0.0.1", 1, seconds(5), resolver, waiter);
  EXPECT_FALSE(refused.fd.has_value());
  EXPECT_EQ(refused.wait, IoWaiter::Outcome::kReady);
  EXPECT_EQ(refused.message, "Connection refused");
  const TcpConnectOutcome unknown =
      TcpConnect("a..b", 1, seconds(5), resolver, waiter);
  EXPECT_THAT(unknown.message, testing::StartsWith("cannot look up a..b: "));
}

TEST_F(TcpConnectTest, StopsInALookUpThatHangs) {
  FakeNameServer names;
  Resolver hanging(names.LookUp());
  TcpConnectOutcome outcome;
  std::jthread thread([&](std::stop_token stop) {
    IoWaiter waiter(std::move(stop), seconds(60));
    outcome = TcpConnect("api", 1, seconds(5), hanging, waiter);
  });
  names.WaitForQuestion("api");
  thread.request_stop();
  thread.join();
  EXPECT_EQ(outcome.wait, IoWaiter::Outcome::kStopped);
}

TEST_F(TcpConnectTest, DoesNothingPastTheDeadline) {
  TestServer server([](Peer& peer) { peer.WaitForEnd(); });
  IoWaiter waiter({}, seconds(0));
  const TcpConnectOutcome outcome =
      TcpConnect("127.0.0.1", server.Port(), seconds(5), resolver, waiter);
  EXPECT_FALSE(outcome.fd.has_value());
  EXPECT_EQ(outcome.wait, IoWaiter::Outcome::kDeadline);
}

}  // namespace
}  // namespace kem
