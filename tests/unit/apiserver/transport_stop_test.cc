// A stop ends a request at once, whatever it waits for.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <stop_token>
#include <thread>
#include <vector>

#include "apiserver/api_transport.h"
#include "unit/apiserver/fakes.h"
#include "unit/apiserver/transport_helpers.h"
#include "unit/net/fake_name_server.h"
#include "unit/net/test_server.h"

namespace kem {
namespace {

// A request on its own thread, to be stopped.
class RunningGet {
 public:
  explicit RunningGet(const std::string& url,
                      Resolver& resolver = TestResolver())
      : thread_([this, url, &resolver](std::stop_token stop) {
          outcome_ = ApiTransport(AccessTo(url), resolver)
                         .Send({"/x"}, handler_, std::move(stop));
        }) {}

  // Must return far sooner than any timeout.
  HttpOutcome Stop() {
    const auto begin = std::chrono::steady_clock::now();
    thread_.request_stop();
    thread_.join();
    EXPECT_LT(std::chrono::steady_clock::now() - begin,
              std::chrono::seconds(3));
    return outcome_;
  }
  RecordingHandler& Handler() { return handler_; }

 private:
  RecordingHandler handler_;
  HttpOutcome outcome_;
  std::jthread thread_;
};

PemPair Identity() {
  CertificateWish wish;
  wish.alternative_names = {"IP:127.0.0.1"};
  return MakeCertificate(wish);
}

// A listener whose backlog is full, so that the kernel accepts no further
// connection.
class FullListener {
 public:
  FullListener() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), any, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 0), 0);
    EXPECT_EQ(::getsockname(listener_.get(), any, &size), 0);
    port_ = ntohs(address.sin_port);
    // A backlog of 0 accepts one connection; the second one has to wait.
    for (int i = 0; i < 2; ++i) {
      UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      (void)::connect(fd.get(), any, size);
      pollfd polled{fd.get(), POLLOUT, 0};
      full_ = ::poll(&polled, 1, i == 0 ? 1000 : 50) == 0;
      waiting_.push_back(std::move(fd));
    }
  }

  bool Full() const { return full_; }
  std::string Url() const {
    return "http://127.0.0.1:" + std::to_string(port_);
  }

  // The number of sockets in SYN_SENT (02 on Linux) to this listener.
  int Connecting() const {
    std::ostringstream remote;
    remote << std::uppercase << std::hex << ":" << port_ << " 02 ";
    std::ifstream table("/proc/self/net/tcp");
    int count = 0;
    for (std::string line; std::getline(table, line);) {
      if (line.find(remote.str()) != std::string::npos) ++count;
    }
    return count;
  }

 private:
  UniqueFd listener_;
  std::vector<UniqueFd> waiting_;
  int port_ = 0;
  bool full_ = false;
};

TEST(TransportStopTest, DoesNothingWhenStoppedBefore) {
  std::stop_source stop;
  stop.request_stop();
  RecordingHandler handler;
  const HttpOutcome outcome =
      ApiTransport(AccessTo("http://127.0.0.1:1"), TestResolver())
          .Send({"/x"}, handler, stop.get_token());
  EXPECT_EQ(outcome.end, HttpEnd::kStopped);
}

TEST(TransportStopTest, EndsWhileLookingUpAName) {
  FakeNameServer names;
  Resolver resolver(names.LookUp());
  RunningGet get("http://api.example:1", resolver);
  names.WaitForQuestion("api.example");
  EXPECT_EQ(get.Stop().end, HttpEnd::kStopped);
}

TEST(TransportStopTest, EndsWhileConnecting) {
  const FullListener listener;
  ASSERT_TRUE(listener.Full())
      << "this kernel accepts more connections than the backlog";
  const int before = listener.Connecting();
  RunningGet get(listener.Url());
  while (listener.Connecting() == before) std::this_thread::yield();
  EXPECT_EQ(get.Stop().end, HttpEnd::kStopped);
}

TEST(TransportStopTest, EndsInTheTlsHandshake) {
  Signal hello;
  // Plain TCP: reads the first byte of the handshake and never responds.
  TestServer server([&](Peer& peer) {
    peer.ReadByte();
    hello.Set();
    peer.WaitForEnd();
  });
  RunningGet get("https" + server.Url().substr(4));
  hello.Wait();
  EXPECT_EQ(get.Stop().end, HttpEnd::kStopped);
}

TEST(TransportStopTest, EndsWhileWaitingForTheHead) {
  Signal asked;
  TestServer server([&](Peer& peer) {
    peer.ReadHead();
    asked.Set();
    peer.WaitForEnd();
  });
  RunningGet get(server.Url());
  asked.Wait();
  EXPECT_EQ(get.Stop().end, HttpEnd::kStopped);
  EXPECT_TRUE(get.Handler().heads.empty());
}

TEST(TransportStopTest, EndsInASilentBody) {
  TestServer server([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
    peer.WaitForEnd();
  });
  RunningGet get(server.Url());
  get.Handler().WaitForBody(1);
  EXPECT_EQ(get.Stop().end, HttpEnd::kStopped);
}

TEST(TransportStopTest, EndsInABodyThatNeverPauses) {
  TestServer server([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (peer.Send("1\r\nx\r\n")) {
    }
  });
  RunningGet get(server.Url());
  get.Handler().WaitForBody(1000);
  EXPECT_EQ(get.Stop().end, HttpEnd::kStopped);
}

TEST(TransportStopTest, EndsInASilentBodyUnderTls) {
  TestServer server(
      [&](Peer& peer) {
        peer.ReadHead();
        peer.Send(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
        peer.WaitForEnd();
      },
      ServerTls{Identity(), ""});
  ServerAccess access = AccessTo(server.Url());
  access.insecure_skip_tls_verify = true;
  RecordingHandler handler;
  HttpOutcome outcome;
  std::jthread thread([&](std::stop_token stop) {
    outcome = ApiTransport(access, TestResolver())
                  .Send({"/x"}, handler, std::move(stop));
  });
  handler.WaitForBody(1);
  thread.request_stop();
  thread.join();
  EXPECT_EQ(outcome.end, HttpEnd::kStopped);
}

}  // namespace
}  // namespace kem
