#include "metrics/exposition.h"

#include <gmock/gmock.h>

#include "testing/fake_clock.h"

namespace kem {
namespace {

class ExpositionTest : public ::testing::Test {
 protected:
  void Fill(int series) {
    SeriesLabels labels;
    labels.kind = "Pod";
    for (int i = 0; i < series; ++i) {
      const std::string name = "ns-" + std::to_string(i);
      labels.object_namespace = name;
      table.Record(table.Intern(labels), 1, WallTime(), clock.Now());
    }
  }

  FakeClock clock;
  std::mutex mutex;
  SeriesTable table{{std::chrono::seconds(0)}, Hasher()};
  SessionStats session;
  OccurrenceStats occurrences;
  ScopeStats scopes;
  HttpStats http;
  ReloadStats reloads;
  StateStats state;
  OwnMetrics own{{session, occurrences, scopes, http, reloads, state,
                  [] { return SeriesCounts(); }, [] { return true; },
                  [] { return std::vector<SinkStatus>(); },
                  [] { return ReplicaStatus(); },
                  [] { return std::optional<HistoryReport>(); }, WallTime()}};
};

TEST_F(ExpositionTest, ComesInPiecesOfBoundedSize) {
  Fill(2000);
  Exposition exposition(mutex, table, own, clock);
  std::string all;
  int pieces = 0;
  bool more = true;
  while (more) {
    std::string piece;
    more = exposition.Next(piece);
    EXPECT_LT(piece.size(), 2 * Exposition::kPieceBytes);
    all += piece;
    ++pieces;
  }
  EXPECT_GT(pieces, 5);
  for (int i = 0; i < 2000; ++i) {
    EXPECT_THAT(all, ::testing::HasSubstr("namespace=\"ns-" +
                                          std::to_string(i) + "\""));
  }
  EXPECT_THAT(all, ::testing::HasSubstr("kube_event_metrics_synced 1\n"));
}

TEST_F(ExpositionTest, OpenMetricsEndsWithItsEnd) {
  Fill(2);
  Exposition exposition(mutex, table, own, clock, {true, true});
  std::string all;
  EXPECT_FALSE(exposition.Next(all));
  EXPECT_THAT(all, ::testing::HasSubstr("kube_event_occurrences_created{"));
  EXPECT_THAT(all, ::testing::HasSubstr("metrics_lists_created{"));
  EXPECT_EQ(all.find("# EOF"), all.size() - 6);
}

TEST_F(ExpositionTest, HoldsNoLockBetweenPieces) {
  Fill(2000);
  Exposition exposition(mutex, table, own, clock);
  std::string piece;
  ASSERT_TRUE(exposition.Next(piece));
  ASSERT_TRUE(mutex.try_lock());
  Fill(2100);  // some are new
  mutex.unlock();
  std::string last;
  while (exposition.Next(last)) last.clear();
  EXPECT_THAT(last, ::testing::HasSubstr("kube_event_metrics_synced 1\n"));
}

}  // namespace
}  // namespace kem
