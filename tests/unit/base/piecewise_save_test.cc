#include "base/piecewise_save.h"

#include <gtest/gtest.h>

#include <utility>

namespace kem {
namespace {

// Counts how many of it are freed.
class Cell {
 public:
  explicit Cell(size_t& freed) : freed_(&freed) {}
  Cell(Cell&& other) noexcept : freed_(std::exchange(other.freed_, nullptr)) {}
  ~Cell() {
    if (freed_ != nullptr) ++*freed_;
  }

 private:
  size_t* freed_;
};

class PiecewiseSaveTest : public ::testing::Test {
 protected:
  static constexpr size_t kMaxKept = 1000;

  PiecewiseSaveTest() { saving.Begin(5000); }
  // Changes cells [0, end).
  void Change(uint32_t end) {
    for (uint32_t number = 0; number < end; ++number) {
      saving.BeforeChange(number, [this] { return Cell(freed); });
    }
  }

  size_t freed = 0;
  PiecewiseSave<Cell> saving{kMaxKept};
  Leftovers left;
};

// The owner of the cells holds a lock in each of these calls.
TEST_F(PiecewiseSaveTest, TheEndFreesNothingItself) {
  Change(kMaxKept);
  saving.End(left);
  EXPECT_EQ(freed, 0U);
  left.clear();
  EXPECT_EQ(freed, kMaxKept);
}

TEST_F(PiecewiseSaveTest, GivingUpFreesNothingItself) {
  Change(kMaxKept + 1);
  EXPECT_TRUE(saving.gave_up());
  Change(kMaxKept + 2);
  EXPECT_EQ(freed, 0U);
  saving.End(left);
  EXPECT_FALSE(saving.gave_up());
  EXPECT_EQ(freed, 0U);
  left.clear();
  EXPECT_EQ(freed, kMaxKept);
}

TEST_F(PiecewiseSaveTest, APieceFreesWhatItSaved) {
  Change(kMaxKept);
  int cells = 0;
  const auto next = [&] {
    return saving.Advance([&] { return cells % 10 != 0 || cells == 0; },
                          [&](const Cell&) { ++cells; },
                          [&](uint32_t) { ++cells; });
  };
  EXPECT_TRUE(next());
  EXPECT_EQ(freed, 10U);
  saving.End(left);
  EXPECT_EQ(freed, 10U);
}

}  // namespace
}  // namespace kem
