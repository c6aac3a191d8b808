// Every call to the file system fails in turn, and every pair of neighbouring
// calls, while later ones succeed. Wherever the process or the power then ends,
// the state on disk is one that was once true, never one with a hole.

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

constexpr char kPath[] = "/folder/state";
constexpr char kOrigin[] = "https://10.0.0.1:6443";
using Crash = FakeFileSystem::Crash;

// All that a later process depends on: what is exposed, what waits, and where
// the watches resume.
std::string Digest(Ledger& ledger) {
  std::string digest = Shown(ledger, SteadyTime(std::chrono::hours(100'000)));
  digest += std::to_string(ledger.combined()) + " " +
            std::to_string(ledger.filtered());
  ledger.outbox().Save(digest);
  for (const char* name : {"", "shop"}) {
    const Ledger::Collection& collection = ledger.FindCollection(name);
    for (const uint64_t number :
         {collection.point.before_newest(), collection.point.newest(),
          uint64_t{collection.tracker.live()},
          uint64_t{collection.tracker.tombstones()},
          uint64_t{collection.has_baseline}}) {
      digest += " " + std::to_string(number);
    }
  }
  return digest;
}

// Two processes, one after the other, on a disk that breaks.
class Lives {
 public:
  Lives(std::set<int> failing, bool effect_of_failures)
      : files_(std::make_unique<FakeFileSystem>()) {
    files_->failing = std::move(failing);
    files_->effect_of_failures = effect_of_failures;
  }

  // Returns the number of calls to the file system.
  int Live() {
    for (int life = 0; life < 2 && !::testing::Test::HasFailure(); ++life) {
      Begin();
      for (int i = 0; i < 8 && !::testing::Test::HasFailure(); ++i) Act(i);
      End();
    }
    return files_->calls;
  }

 private:
  void Begin() {
    loaded_ = LoadState(*files_, kPath, kOrigin, SmallOptions(), clock_);
    Resume();
    store_ = std::make_unique<StateStore>(
        StateOptions{kPath, kOrigin, std::chrono::seconds(10), [] {}}, loaded_,
        *files_, clock_, stats_);
    // Counting and scrapes go on; no call is made under the ledger's mutex.
    files_->before_call = [this](const std::string&) {
      ASSERT_TRUE(loaded_.ledger->mutex().try_lock());
      loaded_.ledger->mutex().unlock();
      Step();
      store_->AwaitFlush(std::chrono::milliseconds(0));
    };
    store_->Save();
    CheckAll("after the start");
  }

  // The truth continues from the state that was loaded.
  void Resume() {
    const std::string digest = Digest(*loaded_.ledger);
    if (loaded_.result != StateLoad::kLoaded) {
      driver_ = Driver(3);
      Note(*loaded_.ledger);
      return;
    }
    ASSERT_TRUE(truth_.contains(digest)) << "loaded what was never true";
    driver_ = truth_.at(digest);
  }

  void Act(int i) {
    for (int n = 0; n < 3; ++n) Step();
    switch (i % 4) {
      case 0:
      case 2:
        store_->Flush();
        break;
      case 1:
        clock_.Advance(std::chrono::seconds(10));
        store_->Tick();
        break;
      default:
        store_->Save();
    }
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

  void Step() {
    const std::lock_guard guard(loaded_.ledger->mutex());
    driver_.Step(*loaded_.ledger);
    Note(*loaded_.ledger);
  }

  void Note(Ledger& ledger) {
    truth_.insert_or_assign(Digest(ledger), driver_);
  }

  void CheckAll(const std::string& when) {
    for (const Crash crash : FakeFileSystem::kCrashes) {
      const auto left = files_->After(crash);
      const LoadedState found =
          LoadState(*left, kPath, kOrigin, SmallOptions(), clock_);
      if (found.result == StateLoad::kNone) continue;
      ASSERT_EQ(found.result, StateLoad::kLoaded)
          << when << ", crash " << static_cast<int>(crash);
      ASSERT_TRUE(truth_.contains(Digest(*found.ledger)))
          << "a hole: " << when << ", crash " << static_cast<int>(crash);
    }
  }

  std::unique_ptr<FakeFileSystem> files_;
  FakeClock clock_;
  StateStats stats_;
  LoadedState loaded_;
  std::unique_ptr<StateStore> store_;
  Driver driver_{3};
  // Each state that was true, and the driver then.
  std::map<std::string, Driver> truth_;
};

class StateFaultsTest : public ::testing::TestWithParam<bool> {};

TEST_P(StateFaultsTest, NoFailureLeavesAHole) {
  const int calls = Lives({}, false).Live();
  ASSERT_FALSE(HasFailure()) << "without a failure";
  ASSERT_GT(calls, 50);
  for (int call = 0; call < calls; ++call) {
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
