// Which client is answered, which waits and which is cut, when many scrape a
// real HttpServer at once.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "unit/web/limits_fixture.h"

namespace kem {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using HttpTurnsTest = HttpLimitsTest;

TEST_F(HttpTurnsTest, CutsOneStalledAnswerForOneThatWaits) {
  piece.assign(65536, 'x');
  pieces = 300;
  limits.answers = 2;
  limits.stall = std::chrono::milliseconds(20);
  Start();
  const auto first = BeginScrape();
  const auto second = BeginScrape();
  RawClient third(address);
  third.Send(kScrape);
  EXPECT_THAT(third.Read(kEnd), EndsWith(kEnd));
  EXPECT_NE(first->Read(kEnd).ends_with(kEnd),
            second->Read(kEnd).ends_with(kEnd));
  EXPECT_EQ(Count("/metrics", HttpStats::kCut), 1U);
  EXPECT_EQ(Count("/metrics", 200), 2U);
}

TEST_F(HttpTurnsTest, CutsNoAnswerWhileNoneWaits) {
  piece.assign(65536, 'x');
  pieces = 300;
  limits.answers = 2;
  limits.stall = std::chrono::milliseconds(0);
  Start();
  const auto first = BeginScrape();
  const auto second = BeginScrape();
  // Small answers need no turn.
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(RawClient::Get(address, "/livez"), EndsWith("alive\n"));
  }
  for (const auto& client : {first.get(), second.get()}) {
    EXPECT_THAT(client->Read(kEnd), EndsWith(kEnd));
  }
  EXPECT_EQ(Count("/metrics", HttpStats::kCut), 0U);
}

TEST_F(HttpTurnsTest, TheNextAnswerWaitsForItsTurn) {
  piece.assign(65536, 'x');
  pieces = 300;
  limits.answers = 2;
  Start();
  const auto first = BeginScrape();
  const auto second = BeginScrape();
  RawClient third(address);
  third.Send(kScrape);
  RawClient fourth(address);
  fourth.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(RawClient::Get(address, "/livez"), EndsWith("alive\n"));
  EXPECT_EQ(scrapes, 2);
  EXPECT_THAT(first->Read(kEnd), EndsWith(kEnd));
  EXPECT_THAT(third.Read(kEnd), EndsWith(kEnd));
  EXPECT_THAT(fourth.Read("page\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(second->Read(kEnd), EndsWith(kEnd));
  EXPECT_EQ(scrapes, 3);
  EXPECT_EQ(Count("/metrics", HttpStats::kCut), 0U);
}

TEST_F(HttpTurnsTest, RefusesWhatWaitsTooLong) {
  piece.assign(65536, 'x');
  pieces = 300;
  limits.answers = 1;
  limits.wait = std::chrono::milliseconds(20);
  Start();
  const auto first = BeginScrape();
  RawClient second(address);
  second.Send(kScrape);
  const std::string answer = second.Read("wait\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_THAT(first->Read(kEnd), EndsWith(kEnd));
  // Its connection is kept.
  second.Send(kScrape);
  EXPECT_THAT(second.Read(kEnd), EndsWith(kEnd));
  EXPECT_EQ(Count("/metrics", 503), 1U);
}

TEST_F(HttpTurnsTest, ManyClientsThatReadAllGetTheirTurns) {
  constexpr int kClients = 64;
  constexpr int kScrapes = 20;
  piece.assign(65536, 'x');
  pieces = 4;
  limits.stall = std::chrono::milliseconds(1000);
  Start();
  std::vector<std::jthread> clients;
  clients.reserve(kClients);
  std::atomic<int> whole = 0;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([this, &whole] {
      RawClient client(address);
      for (int j = 0; j < kScrapes; ++j) {
        client.Send(kScrape);
        if (client.Read(kEnd).ends_with(kEnd)) ++whole;
      }
    });
  }
  clients.clear();
  EXPECT_EQ(whole, kClients * kScrapes);
  EXPECT_EQ(Count("/metrics", 200), uint64_t{kClients} * kScrapes);
  EXPECT_EQ(Count("/metrics", HttpStats::kCut), 0U);
}

TEST_F(HttpTurnsTest, CountsAnAnswerAsCutWhenItsClientIsGone) {
  piece.assign(65536, 'x');
  pieces = 300;
  Start();
  BeginScrape();
  // The reset arrives before the next connection.
  EXPECT_EQ(Count("/metrics", HttpStats::kCut), 1U);
  EXPECT_EQ(Count("/metrics", 200), 0U);
}

TEST_F(HttpTurnsTest, ATurnEndsWithItsConnection) {
  piece.assign(65536, 'x');
  pieces = 300;
  limits.answers = 1;
  Start();
  auto first = BeginScrape();
  auto gone = std::make_unique<RawClient>(address);
  gone->Send(kScrape);
  RawClient third(address);
  third.Send(kScrape);
  EXPECT_THAT(RawClient::Get(address, "/livez"), EndsWith("alive\n"));
  gone.reset();
  first.reset();
  EXPECT_THAT(third.Read(kEnd), EndsWith(kEnd));
}

TEST_F(HttpTurnsTest, ClosesTheNewestOfConnectionsThatAllWait) {
  piece.assign(65536, 'x');
  pieces = 300;
  limits.answers = 1;
  limits.connections = 3;
  Start();
  const auto first = BeginScrape();
  RawClient second(address);
  second.Send(kScrape);
  RawClient third(address);
  third.Send(kScrape);
  // Would be the one that is idle longest.
  RawClient mute(address);
  EXPECT_EQ(third.Read(), "");
  EXPECT_THAT(first->Read(kEnd), EndsWith(kEnd));
  EXPECT_THAT(second.Read(kEnd), EndsWith(kEnd));
  mute.Send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(mute.Read("alive\n"), EndsWith("alive\n"));
}

}  // namespace
}  // namespace kem
