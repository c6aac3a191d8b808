// The worked examples of counting. Their watch events were recorded from
// client-go's two recorders and a real API server. The numbers are the
// contract.

#include <gmock/gmock.h>

#include <vector>

#include "unit/occurrences/tracker_fixture.h"

namespace kem {
namespace {

using ::testing::ElementsAre;

class WorkedExamplesTest : public TrackerTest {
 protected:
  WorkedExamplesTest() { Baseline({}); }
};

TEST_F(WorkedExamplesTest, Row1SameEventFiveTimes) {
  std::vector<uint32_t> deltas;
  for (uint32_t n = 1; n <= 5; ++n) deltas.push_back(Observe({.count = n}));
  EXPECT_THAT(deltas, ElementsAre(1, 1, 1, 1, 1));
}

TEST_F(WorkedExamplesTest, Row2SpamFilterHidesElevenThenTheyAllCount) {
  uint32_t total = 0;
  for (uint32_t n = 1; n <= 25; ++n) total += Observe({.count = n});
  EXPECT_EQ(total, 25U);
  EXPECT_EQ(Observe({.count = 36}), 11U);
}

TEST_F(WorkedExamplesTest, Row3TwelveMessagesOfWhichThreeAreCombined) {
  uint32_t total = 0;
  for (int i = 0; i < 9; ++i) {
    total += Observe({.name = "m" + std::to_string(i)});
  }
  EXPECT_EQ(total, 9U);
  EXPECT_EQ(Observe({.name = "combined", .count = 1}), 1U);
  EXPECT_EQ(Observe({.name = "combined", .count = 2}), 1U);
  EXPECT_EQ(Observe({.name = "combined", .count = 3}), 1U);
}

TEST_F(WorkedExamplesTest, Row4ExpiredAndWrittenAgainUnderItsName) {
  EXPECT_EQ(Observe({.uid = 'a', .count = 1}), 1U);
  Deleted({.uid = 'a', .count = 1});
  EXPECT_EQ(Observe({.uid = 'b', .last = 160, .count = 2}), 1U);
}

TEST_F(WorkedExamplesTest, Row5FirstWriteWasSuppressed) {
  EXPECT_EQ(Observe({.first = 150, .count = 2}), 2U);
}

TEST_F(WorkedExamplesTest, Row6RecorderRestartedUnderANewName) {
  EXPECT_EQ(Observe({.name = "before"}), 1U);
  EXPECT_EQ(Observe({.name = "after"}), 1U);
}

TEST_F(WorkedExamplesTest, Row7SeriesJumpsWhenItIsFinished) {
  EXPECT_EQ(Observe({.count = 1}), 1U);
  EXPECT_EQ(Observe({.count = 2}), 1U);
  EXPECT_EQ(Observe({.count = 57}), 55U);
}

TEST_F(WorkedExamplesTest, Row8RegardingChangedItsResourceVersion) {
  EXPECT_EQ(Observe({.name = "first"}), 1U);
  EXPECT_EQ(Observe({.name = "second", .uid = 'b'}), 1U);
}

TEST_F(WorkedExamplesTest, Row9TwoAtOnce) {
  EXPECT_EQ(Observe({.last = 150, .count = 1}), 1U);
  EXPECT_EQ(Observe({.last = 161, .count = 2}), 1U);
}

TEST_F(WorkedExamplesTest, Row10SeriesWrittenAgainWithoutANewOccurrence) {
  EXPECT_EQ(Observe({.uid = 'a', .count = 1}), 1U);
  EXPECT_EQ(Observe({.uid = 'a', .count = 2}), 1U);
  Deleted({.uid = 'a', .count = 2});
  EXPECT_EQ(Observe({.uid = 'b', .count = 2}), 0U);
}

TEST_F(WorkedExamplesTest, Row11CountLoweredByPutWithALaterTime) {
  EXPECT_EQ(Observe({.count = 1}), 1U);
  EXPECT_EQ(Observe({.count = 9}), 8U);
  EXPECT_EQ(Observe({.last = 170, .count = 2}), 1U);
}

TEST_F(WorkedExamplesTest, Row12AnnotationEdit) {
  EXPECT_EQ(Observe({.count = 1}), 1U);
  EXPECT_EQ(Observe({.count = 1}), 0U);
}

TEST_F(WorkedExamplesTest, Row13ExpiredWithFortyAndKnown) {
  EXPECT_EQ(Observe({.uid = 'a', .count = 40}), 40U);
  Deleted({.uid = 'a', .count = 40});
  EXPECT_EQ(Observe({.uid = 'b', .last = 200, .count = 41}), 1U);
}

TEST_F(WorkedExamplesTest, Row14ExpiredWithFortyBeforeWeStarted) {
  EXPECT_EQ(Observe({.uid = 'b', .first = 50, .last = 200, .count = 41}), 1U);
}

TEST(WorkedExamplesColdStartTest, Row15BaselineCountsNothing) {
  struct Fixture : TrackerTest {
    void TestBody() override {}
    void Run() {
      EXPECT_EQ(Baseline({{.first = 50, .count = 5}}), 0U);
      EXPECT_EQ(Observe({.first = 50, .last = 160, .count = 6}), 1U);
    }
  };
  Fixture().Run();
}

}  // namespace
}  // namespace kem
