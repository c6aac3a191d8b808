// The worked examples of counting, frame by frame as recorded from client-go's
// two recorders against a real API server. The numbers are the contract.

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
  for (uint32_t n = 1; n <= 5; ++n) deltas.push_back(Told({.count = n}));
  EXPECT_THAT(deltas, ElementsAre(1, 1, 1, 1, 1));
}

TEST_F(WorkedExamplesTest, Row2SpamFilterHidesElevenThenTheyAllCount) {
  uint32_t total = 0;
  for (uint32_t n = 1; n <= 25; ++n) total += Told({.count = n});
  EXPECT_EQ(total, 25U);
  EXPECT_EQ(Told({.count = 36}), 11U);
}

TEST_F(WorkedExamplesTest, Row3TwelveMessagesOfWhichThreeAreCombined) {
  uint32_t total = 0;
  for (int i = 0; i < 9; ++i) {
    total += Told({.name = "m" + std::to_string(i)});
  }
  EXPECT_EQ(total, 9U);
  EXPECT_EQ(Told({.name = "combined", .count = 1}), 1U);
  EXPECT_EQ(Told({.name = "combined", .count = 2}), 1U);
  EXPECT_EQ(Told({.name = "combined", .count = 3}), 1U);
}

TEST_F(WorkedExamplesTest, Row4ExpiredAndWrittenAgainUnderItsName) {
  EXPECT_EQ(Told({.uid = 'a', .count = 1}), 1U);
  Deleted({.uid = 'a', .count = 1});
  EXPECT_EQ(Told({.uid = 'b', .last = 160, .count = 2}), 1U);
}

TEST_F(WorkedExamplesTest, Row5FirstWriteWasSuppressed) {
  EXPECT_EQ(Told({.first = 150, .count = 2}), 2U);
}

TEST_F(WorkedExamplesTest, Row6RecorderRestartedUnderANewName) {
  EXPECT_EQ(Told({.name = "before"}), 1U);
  EXPECT_EQ(Told({.name = "after"}), 1U);
}

TEST_F(WorkedExamplesTest, Row7SeriesJumpsWhenItIsFinished) {
  EXPECT_EQ(Told({.count = 1}), 1U);
  EXPECT_EQ(Told({.count = 2}), 1U);
  EXPECT_EQ(Told({.count = 57}), 55U);
}

TEST_F(WorkedExamplesTest, Row8RegardingChangedItsResourceVersion) {
  EXPECT_EQ(Told({.name = "first"}), 1U);
  EXPECT_EQ(Told({.name = "second", .uid = 'b'}), 1U);
}

TEST_F(WorkedExamplesTest, Row9TwoAtOnce) {
  EXPECT_EQ(Told({.last = 150, .count = 1}), 1U);
  EXPECT_EQ(Told({.last = 161, .count = 2}), 1U);
}

TEST_F(WorkedExamplesTest, Row10SeriesWrittenAgainWithoutANewOccurrence) {
  EXPECT_EQ(Told({.uid = 'a', .count = 1}), 1U);
  EXPECT_EQ(Told({.uid = 'a', .count = 2}), 1U);
  Deleted({.uid = 'a', .count = 2});
  EXPECT_EQ(Told({.uid = 'b', .count = 2}), 0U);
}

TEST_F(WorkedExamplesTest, Row11CountLoweredByPutWithALaterTime) {
  EXPECT_EQ(Told({.count = 1}), 1U);
  EXPECT_EQ(Told({.count = 9}), 8U);
  EXPECT_EQ(Told({.last = 170, .count = 2}), 1U);
}

TEST_F(WorkedExamplesTest, Row12AnnotationEdit) {
  EXPECT_EQ(Told({.count = 1}), 1U);
  EXPECT_EQ(Told({.count = 1}), 0U);
}

TEST_F(WorkedExamplesTest, Row13ExpiredWithFortyAndKnown) {
  EXPECT_EQ(Told({.uid = 'a', .count = 40}), 40U);
  Deleted({.uid = 'a', .count = 40});
  EXPECT_EQ(Told({.uid = 'b', .last = 200, .count = 41}), 1U);
}

TEST_F(WorkedExamplesTest, Row14ExpiredWithFortyBeforeWeStarted) {
  EXPECT_EQ(Told({.uid = 'b', .first = 50, .last = 200, .count = 41}), 1U);
}

TEST(WorkedExamplesColdStartTest, Row15BaselineCountsNothing) {
  struct Fixture : TrackerTest {
    void TestBody() override {}
    void Run() {
      EXPECT_EQ(Baseline({{.first = 50, .count = 5}}), 0U);
      EXPECT_EQ(Told({.first = 50, .last = 160, .count = 6}), 1U);
    }
  };
  Fixture().Run();
}

}  // namespace
}  // namespace kem
