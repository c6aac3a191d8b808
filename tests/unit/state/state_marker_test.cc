// The marker beside a state: only with it may a restart expose at once what it
// loads.

#include <gmock/gmock.h>

#include "state/state_store.h"
#include "testing/fake_clock.h"
#include "testing/fake_file_system.h"
#include "unit/state/ledger_fixture.h"

namespace kem {
namespace {

constexpr char kMarkedState[] = "/folder/state";
constexpr char kMarkedOrigin[] = "https://10.0.0.1:6443";

class StateMarkerTest : public ::testing::Test {
 protected:
  LoadedState Load() {
    return LoadState(disk, kMarkedState, kMarkedOrigin, SmallOptions(), clock);
  }

  // A process that has started.
  struct Process {
    explicit Process(StateMarkerTest& test)
        : loaded(test.Load()),
          store({kMarkedState, kMarkedOrigin, std::chrono::seconds(10)}, loaded,
                test.disk, test.clock, stats) {
      loaded.ledger->FindCollection("");
      loaded.ledger->FindCollection("shop");
      store.Start([] {});
    }

    LoadedState loaded;
    StateStats stats;
    StateStore store;
  };
  bool StartsBehind() { return Process(*this).stats.may_be_behind; }

  FakeFileSystem disk;
  FakeClock clock;
  Driver driver{5};
};

TEST_F(StateMarkerTest, IsThereWhileTheFilesHaveAllThatWasExposed) {
  Process process(*this);
  EXPECT_TRUE(Load().complete);
  driver.Step(*process.loaded.ledger);
  disk.failing = {disk.calls};  // the append to the journal
  process.store.Flush();
  EXPECT_FALSE(Load().complete);
  process.store.Flush();
  EXPECT_TRUE(Load().complete);
}

TEST_F(StateMarkerTest, ComesBackOnceAProcessHasCaughtUp) {
  EXPECT_FALSE(StartsBehind());  // there is nothing to load
  EXPECT_FALSE(StartsBehind());
  ASSERT_TRUE(disk.Remove(MarkerPath(kMarkedState)));
  EXPECT_TRUE(StartsBehind());
  EXPECT_TRUE(StartsBehind());
  {
    Process process(*this);
    process.stats.may_be_behind = false;
    process.store.Flush();
  }
  EXPECT_FALSE(StartsBehind());
}

// The marker may be one that the earlier process could not remove.
TEST_F(StateMarkerTest, IsNotBelievedOnADiskThatFails) {
  EXPECT_FALSE(StartsBehind());
  disk.calls = 0;
  Load();
  // The new journal, and the snapshot that is tried in its place.
  for (int call = disk.calls; call < disk.calls + 20; ++call) {
    disk.failing.insert(call);
  }
  disk.calls = 0;
  EXPECT_TRUE(StartsBehind());
}

}  // namespace
}  // namespace kem
