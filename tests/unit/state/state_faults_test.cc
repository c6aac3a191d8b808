// Every call to the file system fails in turn, and every pair of neighbouring
// calls, while later ones succeed. Wherever the process or the power then ends,
// the state on disk is one that was once true, never one with a hole, and the
// marker says when it is older than what was exposed. And once nothing fails
// any more, all is kept again.

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <set>
#include <string>

#include "state/state_store.h"
#include "testing/fake_clock.h"
#include "testing/fake_file_system.h"
#include "unit/state/ledger_fixture.h"

namespace kem {
namespace {

constexpr char kStatePath[] = "/folder/state";
constexpr char kApiServer[] = "https://10.0.0.1:6443";
using Crash = FakeFileSystem::Crash;

// Two processes, one after the other, on a disk that breaks.
class Lives {
 public:
  Lives(std::set<int> failing, bool effect_of_failures)
      : files_(std::make_unique<FakeFileSystem>()) {
    files_->failing = std::move(failing);
    files_->effect_of_failures = effect_of_failures;
    driver_.rarely_sets_sinks = true;
  }

  // Returns the number of calls to the file system.
  int Live() {
    for (int life = 0; life < 2 && !::testing::Test::HasFailure(); ++life) {
      Begin();
      for (int i = 0; i < 8 && !::testing::Test::HasFailure(); ++i) Act(i);
      if (life == 0) End();
    }
    Heal();
    return files_->calls;
  }

 private:
  // What was true: how often a step was taken before, and the driver then.
  struct Truth {
    int step = 0;
    Driver driver;
  };

  void Begin() {
    loaded_ =
        LoadState(*files_, kStatePath, kApiServer, SmallOptions(), clock_);
    Ledger& ledger = *loaded_.ledger;
    stats_ = std::make_unique<StateStats>();
    if (loaded_.result == StateLoad::kLoaded) {
      const auto truth = truths_.find(Saved(ledger));
      ASSERT_NE(truth, truths_.end()) << "loaded what was never true";
      driver_ = truth->second.driver;
    } else {
      for (const char* name : {"", "shop"}) ledger.FindCollection(name);
    }
    store_ = std::make_unique<StateStore>(
        StateOptions{kStatePath, kApiServer, std::chrono::seconds(10)}, loaded_,
        *files_, clock_, *stats_);
    if (loaded_.result == StateLoad::kLoaded) {
      ledger.Resume(SmallOptions(), {"", "shop"}, {}, driver_.now());
    }
    // Takes the same steps, and can be saved at any time.
    twin_ = Loaded(Saved(ledger));
    Note();
    // Counting and scrapes go on; no call is made under the ledger's mutex.
    files_->before_call = [this](const std::string& path) {
      marker_failed_ =
          marker_failed_ || (path == MarkerPath(kStatePath) &&
                             files_->failing.contains(files_->calls));
      ASSERT_TRUE(loaded_.ledger->mutex().try_lock());
      loaded_.ledger->mutex().unlock();
      Step();
      store_->AwaitFlush(std::chrono::milliseconds(0));
    };
    written_ = synced_ = 0;
    const int step = step_;
    store_->Start([] {});
    written_ = step;
    CheckAll("after the start");
  }

  void Act(int i) {
    for (int n = 0; n < 3; ++n) Step();
    const int step = step_;
    switch (i % 4) {
      case 0:
      case 2:
        store_->Flush();
        break;
      case 1:
        clock_.Advance(std::chrono::seconds(10));
        store_->Tick();
        synced_ = step;
        break;
      default:
        store_->Save();
        synced_ = step;
    }
    written_ = step;
    CheckAll("after action " + std::to_string(i));
  }

  void End() {
    files_->before_call = [](const std::string&) {};
    store_.reset();
    auto left = files_->After(Crash::kProcess);
    left->failing = files_->failing;
    left->effect_of_failures = files_->effect_of_failures;
    left->calls = files_->calls;
    files_ = std::move(left);
  }

  // Nothing fails any more.
  void Heal() {
    if (::testing::Test::HasFailure()) return;
    files_->failing.clear();
    Step();
    written_ = synced_ = step_;
    clock_.Advance(std::chrono::hours(1));
    while (store_->Tick()) {
    }
    store_->Save();
    if (loaded_.read_only.empty()) CheckAll("at the end");
    store_.reset();
  }

  void Step() {
    driver_before_ = driver_;
    {
      const std::lock_guard guard(loaded_.ledger->mutex());
      driver_.Step(*loaded_.ledger);
    }
    driver_before_.Step(*twin_);
    ++step_;
    Note();
  }

  void Note() {
    truths_.insert_or_assign(Saved(*twin_), Truth{step_, driver_});
  }

  void CheckAll(const std::string& when) {
    for (const Crash crash : FakeFileSystem::kCrashes) {
      const auto left = files_->After(crash);
      const LoadedState found =
          LoadState(*left, kStatePath, kApiServer, SmallOptions(), clock_);
      const std::string where =
          when + ", crash " + std::to_string(static_cast<int>(crash));
      int step = 0;
      if (found.result != StateLoad::kNone) {
        ASSERT_EQ(found.result, StateLoad::kLoaded) << where;
        const auto truth = truths_.find(Saved(*found.ledger));
        ASSERT_NE(truth, truths_.end()) << "a hole: " << where;
        step = truth->second.step;
      }
      if (crash == Crash::kProcess && found.result == StateLoad::kLoaded &&
          found.complete && !marker_failed_) {
        ASSERT_GE(step, written_) << "complete: " << where;
        ASSERT_FALSE(stats_->may_be_behind) << "complete: " << where;
      }
      if (!files_->failing.empty()) continue;
      const int least = crash == Crash::kProcess ? written_
                        : crash == Crash::kPower ? synced_
                                                 : 0;
      ASSERT_GE(step, least) << where;
    }
  }

  std::unique_ptr<FakeFileSystem> files_;
  FakeClock clock_;
  std::unique_ptr<StateStats> stats_;
  LoadedState loaded_;
  std::unique_ptr<StateStore> store_;
  std::unique_ptr<Ledger> twin_;
  Driver driver_{3};
  Driver driver_before_{3};
  std::map<std::string, Truth> truths_;
  int step_ = 0;
  int written_ = 0;
  int synced_ = 0;
  bool marker_failed_ = false;
};

// With NDEBUG, as in the Release, each call fails; with a sanitizer, where a
// life takes ten times as long, every fifth one.
#ifdef NDEBUG
constexpr int kStride = 1;
#else
constexpr int kStride = 5;
#endif

class StateFaultsTest : public ::testing::TestWithParam<bool> {};

TEST_P(StateFaultsTest, NoFailureLeavesAHole) {
  const int calls = Lives({}, false).Live();
  ASSERT_FALSE(HasFailure()) << "without a failure";
  ASSERT_GT(calls, 50);
  for (int call = 0; call < calls; call += kStride) {
    for (const int more : {0, 1}) {
      std::set<int> failing;
      for (int n = call; n <= call + more; ++n) failing.insert(n);
      Lives(failing, GetParam()).Live();
      ASSERT_FALSE(HasFailure())
          << "with " << 1 + more << " failures from call " << call << " on";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutEffect, StateFaultsTest,
                         ::testing::Bool());

}  // namespace
}  // namespace kem
