// What is written when: the rules of annotations, without an API server.
#include "sinks/annotation_table.h"

#include <gmock/gmock.h>

#include "testing/fake_clock.h"
#include "unit/sinks/annotated_cluster.h"

namespace kem {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;

constexpr char kPath[] = "/api/v1/nodes/a";
constexpr seconds kTtl{7200};

class AnnotationTableTest : public ::testing::Test {
 protected:
  AnnotationTableTest() { Restart(); }

  void Restart() {
    table.emplace(memory, kTtl, clock.WallNow(), clock.SteadyNow());
  }
  Annotation Make(const std::string& label, uint64_t version) const {
    Annotation annotation;
    annotation.name = "a";
    annotation.text = "text of " + label;
    annotation.label = label;
    annotation.until = clock.WallNow() + kTtl;
    annotation.age = {clock.WallNow(), version};
    return annotation;
  }
  void Write(Annotation annotation) {
    table->Begin(kPath, annotation);
    table->Commit(kPath, std::move(annotation), clock.SteadyNow());
  }
  std::string Saved() { return memory.texts.at(kPath); }

  FakeClock clock;
  MapMemory memory;
  std::optional<AnnotationTable> table;
};

TEST_F(AnnotationTableTest, AnUnknownObjectMayBeWritten) {
  EXPECT_FALSE(table->IsCurrent(kPath, {WallTime(), 0}));
  EXPECT_FALSE(table->IsRefused(kPath));
  EXPECT_LE(table->NotBefore(kPath), clock.SteadyNow());
}

TEST_F(AnnotationTableTest, AWrittenObjectIsCurrentAndWaitsAMinute) {
  const Annotation annotation = Make("X", 5);
  const SteadyTime written = clock.SteadyNow();
  Write(annotation);
  EXPECT_TRUE(table->IsCurrent(kPath, annotation.age));
  EXPECT_FALSE(table->IsCurrent(kPath, {annotation.age.first, 6}));
  EXPECT_EQ(table->NotBefore(kPath), written + AnnotationTable::kInterval);
  clock.Advance(AnnotationTable::kInterval);
  EXPECT_LE(table->NotBefore(kPath), clock.SteadyNow());
}

TEST_F(AnnotationTableTest, ARestartKeepsLabelsAndTheWait) {
  Write(Make("X", 5));
  clock.Advance(seconds(20));
  Restart();
  EXPECT_EQ(table->NotBefore(kPath), clock.SteadyNow() + seconds(40));
  clock.Advance(kTtl);
  ASSERT_EQ(table->Expired(clock.WallNow()).size(), 1U);
}

TEST_F(AnnotationTableTest, ACrashDuringTheFirstWriteKeepsItsLabel) {
  Annotation annotation = Make("X", 5);
  table->Begin(kPath, annotation);
  Restart();
  clock.Advance(kTtl);
  EXPECT_EQ(table->Expired(clock.WallNow()).size(), 1U);
}

TEST_F(AnnotationTableTest, ACanceledWriteLeavesWhatWasThere) {
  Annotation first = Make("First", 5);
  table->Begin(kPath, first);
  table->Cancel(kPath);
  EXPECT_THAT(memory.texts, IsEmpty());
  Write(first);
  const std::string saved = Saved();
  Annotation second = Make("Second", 6);
  table->Begin(kPath, second);
  EXPECT_NE(Saved(), saved);
  table->Cancel(kPath);
  EXPECT_EQ(Saved(), saved);
  EXPECT_FALSE(table->IsCurrent(kPath, second.age));
}

TEST_F(AnnotationTableTest, ARefusalIsCurrentAndKeepsTheFormerLabel) {
  Write(Make("First", 5));
  Annotation second = Make("Second", 6);
  table->Begin(kPath, second);
  table->Refuse(kPath, second, clock.SteadyNow());
  EXPECT_TRUE(table->IsCurrent(kPath, second.age));
  EXPECT_TRUE(table->IsRefused(kPath));
  EXPECT_EQ(LoadAnnotation(Saved())->label, "First");
  EXPECT_EQ(LoadAnnotation(Saved())->text, "text of First");
}

TEST_F(AnnotationTableTest, AnExpiredLabelIsListedUntilItIsRemoved) {
  Write(Make("X", 5));
  EXPECT_THAT(table->Expired(clock.WallNow()), IsEmpty());
  clock.Advance(kTtl);
  const auto expired = table->Expired(clock.WallNow());
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].first, kPath);
  EXPECT_EQ(expired[0].second.label, "");
  EXPECT_EQ(expired[0].second.text, "text of X");
  EXPECT_EQ(table->Expired(clock.WallNow()).size(), 1U);
  table->CommitExpired(kPath, expired[0].second);
  EXPECT_THAT(table->Expired(clock.WallNow()), IsEmpty());
  EXPECT_THAT(memory.texts, IsEmpty());
}

TEST_F(AnnotationTableTest, PruningKeepsLabelsAndWaits) {
  const auto none = [](const std::string&) { return false; };
  const auto all = [](const std::string&) { return true; };
  memory.full = true;
  const Annotation annotation = Make("X", 5);
  Write(annotation);  // without a label, as the memory is full
  table->Prune(clock.SteadyNow(), none);
  EXPECT_TRUE(table->IsCurrent(kPath, annotation.age));
  clock.Advance(AnnotationTable::kInterval);
  table->Prune(clock.SteadyNow(), all);
  EXPECT_TRUE(table->IsCurrent(kPath, annotation.age));
  table->Prune(clock.SteadyNow(), none);
  EXPECT_FALSE(table->IsCurrent(kPath, annotation.age));
  memory.full = false;
  Write(annotation);
  clock.Advance(AnnotationTable::kInterval);
  table->Prune(clock.SteadyNow(), none);
  EXPECT_TRUE(table->IsCurrent(kPath, annotation.age));
}

}  // namespace
}  // namespace kem
