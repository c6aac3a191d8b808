#include "reflector/reflector_status.h"

#include <gtest/gtest.h>

namespace kem {
namespace {

TEST(ReflectorStatusTest, IsNeitherSyncedNorInContactNorLateAtFirst) {
  const ReflectorHealth health = ReflectorStatus().Get();
  EXPECT_FALSE(health.synced);
  EXPECT_FALSE(health.in_contact);
  EXPECT_FALSE(health.late);
  EXPECT_EQ(health.problem, "");
  EXPECT_EQ(health.due, SteadyTime::max());
}

TEST(ReflectorStatusTest, ReportsWhetherLatenessIsNew) {
  ReflectorStatus status;
  EXPECT_FALSE(status.SetLate(false));
  EXPECT_TRUE(status.SetLate(true));
  EXPECT_FALSE(status.SetLate(true));
  EXPECT_TRUE(status.Get().late);
  EXPECT_TRUE(status.SetLate(false));
}

TEST(ReflectorStatusTest, ReportsWhichProblemsAreNew) {
  ReflectorStatus status;
  EXPECT_TRUE(status.SetProblem("list forbidden", "no"));
  EXPECT_FALSE(status.SetProblem("list forbidden", "still no"));
  EXPECT_TRUE(status.SetProblem("list not found", "none"));
  EXPECT_FALSE(status.SetProblem("list forbidden", "no"));
  EXPECT_EQ(status.Get().problem, "no");
}

TEST(ReflectorStatusTest, ForgetsProblemsWithContact) {
  ReflectorStatus status;
  EXPECT_FALSE(status.SetContact());
  status.SetProblem("list forbidden", "no");
  EXPECT_TRUE(status.SetContact());
  EXPECT_EQ(status.Get().problem, "");
  EXPECT_TRUE(status.Get().in_contact);
  EXPECT_TRUE(status.SetProblem("list forbidden", "no"));
  EXPECT_FALSE(status.Get().in_contact);
}

}  // namespace
}  // namespace kem
