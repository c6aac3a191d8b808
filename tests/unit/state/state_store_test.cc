// To the disk and back, with processes that end at any moment.

#include "state/state_store.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "testing/fake_clock.h"
#include "testing/temp_folder.h"
#include "unit/state/ledger_fixture.h"

namespace kem {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kOrigin[] = "https://10.0.0.1:6443";

class StateStoreTest : public ::testing::Test {
 protected:
  // A process: what it loads, and the store that keeps it.
  struct Process {
    explicit Process(StateStoreTest& test)
        : loaded(LoadState(test.files, test.path, kOrigin, SmallOptions(),
                           test.clock)) {
      store = std::make_unique<StateStore>(
          StateOptions{test.path, kOrigin, std::chrono::seconds(10)}, loaded,
          test.files, test.clock, stats);
      ledger().Resume(SmallOptions(), {"", "shop"}, {}, test.clock.Now());
    }
    void Start() {
      store->Start([] {});
    }
    Ledger& ledger() { return *loaded.ledger; }

    LoadedState loaded;
    StateStats stats;
    std::unique_ptr<StateStore> store;
  };

  std::string Aside() {
    for (const auto& entry : fs::directory_iterator(folder.path())) {
      std::string name = entry.path().string();
      if (name.find(".unusable-") == std::string::npos) continue;
      if (name.find(".journal-") == std::string::npos) return name;
    }
    return "";
  }
  std::string Bytes(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  DiskFileSystem files;
  TempFolder folder;
  const std::string path = folder.path() + "/state";
  FakeClock clock;
};

TEST_F(StateStoreTest, FirstStartFindsNothingAndWrites) {
  Process process(*this);
  EXPECT_EQ(process.loaded.result, StateLoad::kNone);
  process.Start();
  EXPECT_EQ(process.stats.saves[0], 1U);
  EXPECT_GT(process.stats.bytes, 0U);
  EXPECT_EQ(Process(*this).loaded.result, StateLoad::kLoaded);
}

// A scrape reads and calls Flush; a killed process is simply abandoned.
TEST_F(StateStoreTest, WhatWasShownIsNeverTakenBack) {
  std::mt19937 random(7);
  Driver driver(7);
  Driver kept = driver;
  std::string shown;
  for (int life = 0; life < 60; ++life) {
    Process process(*this);
    ASSERT_EQ(process.loaded.result,
              life ? StateLoad::kLoaded : StateLoad::kNone);
    ASSERT_EQ(Shown(process.ledger(), kept.now().steady), shown) << life;
    process.Start();
    // What was not exposed is lost, and the API server sends it again.
    driver = kept;
    for (auto steps = random() % 200; steps > 0; --steps) {
      driver.Step(process.ledger());
      const auto what = random() % 20;
      if (what > 3) continue;
      what == 0 ? process.store->Save() : process.store->Flush();
      shown = Shown(process.ledger(), driver.now().steady);
      kept = driver;
    }
  }
}

TEST_F(StateStoreTest, JournalsCarryOnWhileNoSnapshotCanBeWritten) {
  Driver driver(5);
  Process process(*this);
  process.Start();
  fs::create_directory(path + ".tmp");  // in the way of the next snapshot
  for (int i = 0; i < 5; ++i) {
    for (int n = 0; n < 5; ++n) driver.Step(process.ledger());
    process.store->Flush();
    process.store->Save();
  }
  EXPECT_EQ(process.stats.saves[1], 5U);
  EXPECT_THAT(process.stats.problem(), HasSubstr("cannot write"));
  EXPECT_THAT(process.stats.problem(), HasSubstr("counting continues"));
  driver.Step(process.ledger());
  process.store->Flush();
  const std::string shown = Shown(process.ledger(), driver.now().steady);
  EXPECT_EQ(Shown(Process(*this).ledger(), driver.now().steady), shown);
  fs::remove(path + ".tmp");
  process.store->Save();
  EXPECT_EQ(process.stats.problem(), "");
  // A snapshot, its journal and the marker: the rest is removed.
  int count = 0;
  for ([[maybe_unused]] const auto& entry :
       fs::directory_iterator(folder.path())) {
    ++count;
  }
  EXPECT_EQ(count, 3);
  EXPECT_EQ(Shown(Process(*this).ledger(), driver.now().steady), shown);
}

TEST_F(StateStoreTest, AHorizonInTheFutureIsRepairedAtTheStart) {
  const WallTime future = clock.WallNow() + std::chrono::hours(24 * 365 * 70);
  {
    Process process(*this);
    process.Start();
    Ledger::Collection& collection = process.ledger().FindCollection("");
    process.ledger().Commit(collection, {}, {100, future, false, false}, {},
                            {clock.SteadyNow(), future});
    EXPECT_EQ(collection.tracker.horizon(), future);
    process.store->Save();
  }
  for (int i = 0; i < 2; ++i) {
    Process process(*this);
    EXPECT_EQ(process.loaded.result, StateLoad::kLoaded);
    EXPECT_EQ(process.ledger().FindCollection("").tracker.horizon(),
              clock.WallNow() + kMaxAhead);
  }
}

// /readyz shows the problem until a snapshot succeeds.
TEST_F(StateStoreTest, ASyncDoesNotHideThatSnapshotsFail) {
  Driver driver(5);
  Process process(*this);
  process.Start();
  fs::create_directory(path + ".tmp");
  for (int i = 0; i < 50; ++i) driver.Step(process.ledger());
  process.store->Save();
  // The second attempt fails in the first turn; the third one is due later.
  for (int turn = 0; turn < 2; ++turn) {
    clock.Advance(std::chrono::seconds(10));
    for (int i = 0; i < 50; ++i) driver.Step(process.ledger());
    const auto saves = process.stats.saves[0].load();
    process.store->Tick();
    EXPECT_EQ(process.stats.saves[0], saves + 1);
    EXPECT_EQ(process.stats.saves[1], 2U);
    EXPECT_THAT(process.stats.problem(), HasSubstr("cannot write"));
  }
  fs::remove(path + ".tmp");
  process.store->Save();
  EXPECT_EQ(process.stats.problem(), "");
}

TEST_F(StateStoreTest, WritesNothingWhileNothingHappens) {
  Process process(*this);
  process.Start();
  const std::string bytes = Bytes(path);
  process.store->Flush();
  process.store->Save();
  EXPECT_EQ(process.stats.saves[0], 1U);
  EXPECT_TRUE(Bytes(path) == bytes);
}

// An hour of a quiet cluster: the clock alone writes no snapshot.
TEST_F(StateStoreTest, TheClockSyncsTheJournalAndWritesNoSnapshot) {
  Driver driver(5);
  Process process(*this);
  process.Start();
  const std::string snapshot = Bytes(path);
  for (int i = 0; i < 360; ++i) {
    driver.Step(process.ledger());
    clock.Advance(std::chrono::seconds(10));
    process.store->Tick();
  }
  EXPECT_TRUE(Bytes(path) == snapshot);
  EXPECT_GT(process.stats.saves[0], 300U);  // not every step is logged
  EXPECT_EQ(process.stats.saves[1], 0U);
  const auto saves = process.stats.saves[0].load();
  clock.Advance(std::chrono::hours(1));
  process.store->Tick();
  process.store->Tick();
  EXPECT_LE(process.stats.saves[0], saves + 1);  // there was nothing to sync
}

TEST_F(StateStoreTest, NoSyncIsMadeBeforeTheInterval) {
  Driver driver(5);
  Process process(*this);
  process.Start();
  clock.Advance(std::chrono::seconds(10));
  process.store->Tick();
  const auto saves = process.stats.saves[0].load();
  for (int i = 0; i < 9; ++i) {
    for (int n = 0; n < 5; ++n) driver.Step(process.ledger());
    clock.Advance(std::chrono::seconds(1));
    process.store->Tick();
  }
  EXPECT_EQ(process.stats.saves[0], saves);
  clock.Advance(std::chrono::seconds(1));
  process.store->Tick();
  EXPECT_EQ(process.stats.saves[0], saves + 1);
}

// A snapshot each time the journal has outgrown the last one and 4 MiB.
TEST_F(StateStoreTest, SnapshotsAreAtMostTwiceTheJournals) {
  constexpr uint64_t kLeast = uint64_t{4} << 20;
  Driver driver(5);
  Process process(*this);
  process.Start();
  const uint64_t first = process.stats.written[1];
  uint64_t journaled = 0;
  uint64_t snapshots = first;
  for (int written = 0; written < 3;) {
    for (int i = 0; i < 500; ++i) driver.Step(process.ledger());
    clock.Advance(std::chrono::seconds(10));
    while (process.store->Tick()) {
    }
    if (process.stats.written[1] == snapshots) continue;
    ++written;
    EXPECT_GT(process.stats.written[0] - journaled, kLeast);
    EXPECT_LT(process.stats.written[0] - journaled, kLeast + kLeast / 4);
    journaled = process.stats.written[0];
    snapshots = process.stats.written[1];
  }
  EXPECT_LE(snapshots - first, 2 * journaled);
}

TEST_F(StateStoreTest, PutsADamagedFileAsideAndStartsAnew) {
  Driver driver(5);
  {
    Process process(*this);
    for (int i = 0; i < 50; ++i) driver.Step(process.ledger());
    process.store->Save();
  }
  fs::resize_file(path, fs::file_size(path) - 1);
  const std::string damaged = Bytes(path);
  Process process(*this);
  EXPECT_EQ(process.loaded.result, StateLoad::kUnusable);
  EXPECT_EQ(Shown(process.ledger(), driver.now().steady), "");
  EXPECT_TRUE(Bytes(Aside()) == damaged);
  process.store->Save();
  EXPECT_EQ(Process(*this).loaded.result, StateLoad::kLoaded);
  EXPECT_TRUE(Bytes(Aside()) == damaged);
}

TEST_F(StateStoreTest, PutsTheStateOfAnotherClusterAside) {
  Process(*this).store->Save();
  const LoadedState other =
      LoadState(files, path, "https://other:6443", SmallOptions(), clock);
  EXPECT_EQ(other.result, StateLoad::kUnusable);
  EXPECT_NE(Aside(), "");
}

TEST_F(StateStoreTest, NeverOverwritesWhatItCouldNotPutAside) {
  fs::create_directory(path);
  Process process(*this);
  EXPECT_EQ(process.loaded.result, StateLoad::kUnusable);
  if (process.loaded.read_only.empty()) {
    EXPECT_NE(Aside(), "");  // a folder can be moved aside as well
    return;
  }
  process.store->Save();
  EXPECT_EQ(process.stats.saves[1], 1U);
}

TEST_F(StateStoreTest, ReadOnlyStateIsNotWritten) {
  LoadedState loaded;
  loaded.ledger = std::make_unique<Ledger>(SmallOptions(), Hasher());
  loaded.read_only = "cannot rename it";
  StateStats stats;
  StateStore store({path, kOrigin, std::chrono::seconds(10)}, loaded, files,
                   clock, stats);
  store.Save();
  EXPECT_FALSE(fs::exists(path));
  EXPECT_THAT(stats.problem(), HasSubstr("cannot rename it"));
}

TEST_F(StateStoreTest, ARestartContinuesTheFilesWithoutASnapshot) {
  Driver driver(5);
  {
    Process process(*this);
    process.Start();
    for (int i = 0; i < 50; ++i) driver.Step(process.ledger());
    process.store->Flush();
  }
  const std::string snapshot = Bytes(path);
  std::string shown;
  for (int life = 0; life < 3; ++life) {
    Process process(*this);
    EXPECT_EQ(process.stats.bytes, snapshot.size());
    process.Start();
    EXPECT_EQ(process.stats.written[1], 0U);
    for (int i = 0; i < 50; ++i) driver.Step(process.ledger());
    process.store->Flush();
    shown = Shown(process.ledger(), driver.now().steady);
  }
  EXPECT_TRUE(Bytes(path) == snapshot);
  EXPECT_EQ(Shown(Process(*this).ledger(), driver.now().steady), shown);
}

TEST_F(StateStoreTest, ManyCrashesDoNotLeaveManyJournals) {
  uint64_t snapshots = 0;
  for (int life = 0; life < 40; ++life) {
    Process process(*this);
    process.Start();
    snapshots += process.stats.written[1] > 0 ? 1 : 0;
    EXPECT_LE(files.List(folder.path())->size(), 2U + 19U);  // and . and ..
  }
  EXPECT_EQ(snapshots, 3U);
}

TEST_F(StateStoreTest, ATornJournalCostsOnlyItsEnd) {
  Driver driver(5);
  std::string first;
  {
    Process process(*this);
    process.Start();
    for (int i = 0; i < 20; ++i) driver.Step(process.ledger());
    process.store->Flush();
    first = Shown(process.ledger(), driver.now().steady);
  }
  const std::string journal = JournalPath(path, 1);
  const auto whole = fs::file_size(journal);
  Driver later = driver;
  {
    Process process(*this);
    EXPECT_EQ(Shown(process.ledger(), driver.now().steady), first);
  }
  std::ofstream(journal, std::ios::binary | std::ios::app) << "torn";
  EXPECT_EQ(fs::file_size(journal), whole + 4);
  EXPECT_EQ(Shown(Process(*this).ledger(), driver.now().steady), first);
}

TEST_F(StateStoreTest, SavesByItselfUntilItIsStopped) {
  Driver driver(5);
  Process process(*this);
  process.Start();
  {
    const std::lock_guard guard(process.ledger().mutex());
    driver.Step(process.ledger());
  }
  std::stop_source stop;
  stop.request_stop();
  process.store->Run(stop.get_token());
  EXPECT_EQ(process.stats.saves[0], 3U);  // a sync and a snapshot
}

TEST_F(StateStoreTest, CheckReportsWhetherAStateCanBeKept) {
  EXPECT_TRUE(CheckStateFile(files, path));
  EXPECT_TRUE(fs::is_empty(folder.path()));
  Process(*this).store->Save();
  EXPECT_TRUE(CheckStateFile(files, path));
  fs::resize_file(path, fs::file_size(path) - 1);
  const auto damaged = CheckStateFile(files, path);
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().message, HasSubstr("is cut off"));
  EXPECT_THAT(damaged.error().message, HasSubstr("would move it aside"));
  const auto missing = CheckStateFile(files, folder.path() + "/missing/state");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message,
              HasSubstr("cannot write to " + folder.path() + "/missing"));
}

}  // namespace
}  // namespace kem
