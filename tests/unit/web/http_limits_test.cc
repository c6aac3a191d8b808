// Slow, many and hostile clients of a real HttpServer on loopback.
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "unit/web/limits_fixture.h"

namespace kem {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(HttpLimitsTest, IdleConnectionsCostNoScrape) {
  Start();
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 100; ++i) {
    idle.push_back(std::make_unique<RawClient>(address));
    ASSERT_TRUE(idle.back()->connected());
  }
  ExpectServing();
  // They still work.
  for (const auto& client : idle) {
    client->Send("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client->Read("ready\n"), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(HttpLimitsTest, ASlowReaderDelaysNoOther) {
  piece.assign(65536, 'x');
  pieces = 300;
  Start();
  RawClient slow(address, 4096);
  slow.Send(kScrape);
  EXPECT_THAT(slow.Read("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(RawClient::Get(address, "/livez"), EndsWith("alive\n"));
  // Pieces that it does not read are not created.
  EXPECT_LT(made, 100);
  // It still gets the whole answer.
  EXPECT_GT(slow.Read(kEnd).size(), 19000000U);
}

TEST_F(HttpLimitsTest, AnAnswerHasADeadline) {
  piece.assign(65536, 'x');
  pieces = 300;
  limits.answer = std::chrono::milliseconds(50);
  Start();
  RawClient slow(address, 4096);
  slow.Send(kScrape);
  slow.Read("\r\n\r\n");
  const std::string rest = slow.Read(kEnd);
  EXPECT_THAT(rest, Not(EndsWith(kEnd)));
  EXPECT_EQ(Count("/metrics", HttpStats::kCut), 1U);
}

TEST_F(HttpLimitsTest, AHeadHasADeadlineHoweverSlowlyItComes) {
  limits.head = std::chrono::milliseconds(50);
  Start();
  RawClient mute(address);
  EXPECT_EQ(mute.Read(), "");
  RawClient slow(address);
  const std::string request = "GET /metrics HTTP/1.1\r\nX: ";
  bool open = slow.Send(request);
  // Byte by byte until the server closes.
  while (open) open = slow.Send("x");
  EXPECT_EQ(scrapes, 0);
  ExpectServing();
}

TEST_F(HttpLimitsTest, KeptAliveForLimitedTime) {
  limits.idle = std::chrono::milliseconds(50);
  Start();
  RawClient client(address);
  client.Send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.Read("alive\n"), Not(HasSubstr("Connection: close")));
  EXPECT_EQ(client.Read(), "");
}

TEST_F(HttpLimitsTest, EndlessHeadersAreRefused) {
  Start();
  RawClient client(address);
  bool open = client.Send("GET /metrics HTTP/1.1\r\n");
  for (int i = 0; open && i < 20000; ++i) open = client.Send("a: b\r\n");
  // The sender may get a reset before it reads the answer.
  ExpectServing();
  EXPECT_EQ(Count("other", 431), 1U);
}

TEST_F(HttpLimitsTest, ALineOfAnyBytesIsRefused) {
  Start();
  for (const char byte : {'a', '(', '\0', '\r', '\xff', ','}) {
    RawClient client(address);
    client.Send("GET /metrics HTTP/1.1\r\nRange: bytes=");
    client.Send(std::string(9000, byte));
    client.Send("\r\n\r\n");
    client.EndSending();
    EXPECT_THAT(client.Read(), StartsWith("HTTP/1.1 4"));
  }
  ExpectServing();
}

TEST_F(HttpLimitsTest, ARequestWithABodyIsRefusedWithoutReadingIt) {
  Start();
  RawClient client(address);
  client.Send(
      "POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: "
      "1000000\r\n\r\nabc");
  EXPECT_THAT(client.Read("body.\n"), StartsWith("HTTP/1.1 413"));
  ExpectServing();
}

TEST_F(HttpLimitsTest, ClosesTheConnectionIdleForLongest) {
  limits.connections = 3;
  Start();
  RawClient first(address);
  RawClient second(address);
  for (RawClient* client : {&first, &second, &first}) {
    client->Send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_THAT(client->Read("alive\n"), EndsWith("alive\n"));
  }
  RawClient third(address);
  RawClient fourth(address);
  EXPECT_EQ(second.Read(), "");
  for (RawClient* client : {&first, &third, &fourth}) {
    client->Send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client->Read("alive\n"), EndsWith("alive\n"));
  }
}

TEST_F(HttpLimitsTest, ThousandsOfConnectionsAtOnce) {
  constexpr rlim_t kCrowd = 3000;
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  ASSERT_GE(files.rlim_max, kCrowd + 200) << "raise ulimit -Hn";
  const rlimit before = files;
  files.rlim_cur = std::max(files.rlim_cur, kCrowd + 200);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  limits.connections = 20;
  Start();
  {
    std::vector<std::unique_ptr<RawClient>> crowd;
    for (rlim_t i = 0; i < kCrowd; ++i) {
      crowd.push_back(std::make_unique<RawClient>(address));
      ASSERT_TRUE(crowd.back()->connected());
      crowd.back()->Send("GET /met");
      if (i % 500 == 0) ExpectServing();
    }
    ExpectServing();
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(HttpLimitsTest, AnswersPipelinedRequests) {
  Start();
  RawClient client(address);
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += kScrape;
  client.Send(requests +
              "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.Read(), EndsWith("alive\n"));
  EXPECT_EQ(scrapes, 100);
}

TEST_F(HttpLimitsTest, Http10GetsABodyThatEndsWithTheConnection) {
  Start();
  RawClient client(address);
  client.Send("GET /metrics HTTP/1.0\r\n\r\n");
  const std::string answer = client.Read();
  EXPECT_THAT(answer, EndsWith("\r\n\r\n" + piece + piece + piece));
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
}

TEST_F(HttpLimitsTest, HeadHasNoBody) {
  Start();
  RawClient client(address);
  client.Send("HEAD /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answer = client.Read();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpLimitsTest, FinishesAnAnswerWhenTheServerStops) {
  piece.assign(65536, 'x');
  pieces = 100;
  limits.stop = kNever;
  Start();
  RawClient client(address, 4096);
  client.Send(kScrape);
  client.Read("\r\n\r\n");
  std::jthread stopping([this] { server.reset(); });
  EXPECT_THAT(client.Read(kEnd), EndsWith(kEnd));
}

TEST_F(HttpLimitsTest, AStalledReaderDelaysTheStopForItsLimitOnly) {
  piece.assign(65536, 'x');
  pieces = 300;
  Start();
  RawClient client(address, 4096);
  client.Send(kScrape);
  client.Read("\r\n\r\n");
  server.reset();
  EXPECT_FALSE(RawClient(address).connected());
}

}  // namespace
}  // namespace kem
