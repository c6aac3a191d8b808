// Writers and an API server, played at random, against the tracker. As long as
// every write reaches the tracker by a watch event or a list, the sum of its
// deltas is the number of occurrences, also through restarts from a saved state
// of any age. With faults (tombstones evicted, writers that start to count
// again, Events lost while unobserved) the sum is what a plain model of the
// contract expects, and never more than what happened.

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "testing/whole_save.h"
#include "unit/occurrences/tracker_fixture.h"

namespace kem {
namespace {

// The contract of EventTracker in its simplest form.
class Reference {
 public:
  explicit Reference(EventTracker::Limits limits) : limits_(limits) {}

  uint32_t Observe(int name, const Frame& frame, SteadyTime now) {
    seen_[name] = frame.version;
    const auto known = known_.find(name);
    if (known == known_.end()) {
      known_.emplace(name, Known{frame});
      return DeltaOfUnknown(frame);
    }
    if (frame.version <= known->second.frame.version) return 0;
    const uint32_t delta = Delta(known->second.frame, frame);
    if (known->second.gone) {
      tombstones_.erase(
          std::find(tombstones_.begin(), tombstones_.end(), name));
    }
    known->second = Known{frame};
    Evict(now);
    return delta;
  }

  void Remove(int name, uint64_t version, SteadyTime now) {
    Known& known = known_.at(name);
    known.frame.version = std::max(known.frame.version, version);
    known.gone = true;
    known.gone_at = now;
    tombstones_.push_back(name);
    Evict(now);
  }

  void Evict(SteadyTime now) {
    while (tombstones_.size() > limits_.min_keys) {
      const auto oldest = known_.find(tombstones_.front());
      if (now - oldest->second.gone_at <= limits_.min_age &&
          tombstones_.size() <= limits_.max_keys) {
        return;
      }
      // The horizon is after the Event's second.
      horizon_ = std::max({horizon_, oldest->second.frame.first + 1,
                           oldest->second.frame.last + 1});
      known_.erase(oldest);
      tombstones_.pop_front();
      ++evictions_;
    }
  }

  // Whether this write was observed, even if it was forgotten since.
  bool Saw(int name, const Frame& frame) const {
    const auto seen = seen_.find(name);
    return seen != seen_.end() && seen->second == frame.version;
  }

  size_t live() const { return known_.size() - tombstones_.size(); }
  size_t tombstones() const { return tombstones_.size(); }
  int evictions() const { return evictions_; }

 private:
  struct Known {
    Frame frame;
    bool gone = false;
    SteadyTime gone_at = {};
  };

  uint32_t DeltaOfUnknown(const Frame& frame) const {
    return frame.first >= horizon_ ? frame.count : 1;
  }

  uint32_t Delta(const Frame& before, const Frame& frame) const {
    if (before.uid != frame.uid && before.first != frame.first) {
      return DeltaOfUnknown(frame);
    }
    if (frame.count > before.count) return frame.count - before.count;
    return frame.count < before.count && frame.last > before.last ? 1 : 0;
  }

  EventTracker::Limits limits_;
  std::map<int, Known> known_;
  std::map<int, uint64_t> seen_;
  std::deque<int> tombstones_;  // the oldest first
  int horizon_ = 100;
  int evictions_ = 0;
};

constexpr EventTracker::Limits kFewTombstones = {
    .min_age = std::chrono::hours(24), .min_keys = 1, .max_keys = 3};

struct Faults {
  bool evictions = false;
  bool writers_restart = false;
  bool events_get_lost = false;
};

class Model : public TrackerTest {
 public:
  Model(unsigned seed, const Faults& faults)
      : TrackerTest(faults.evictions ? kFewTombstones : EventTracker::Limits()),
        faults_(faults),
        random_(seed) {
    Baseline({});
  }
  void TestBody() override {}

  void Step() {
    now += std::chrono::minutes(Pick(60));
    const int name = Pick(40);
    switch (Pick(12)) {
      case 0:
        Expire(name);
        break;
      case 1:
        Relist();
        break;
      case 2:
        unobserved_ = !unobserved_;
        if (!unobserved_) Relist();
        break;
      case 3:
        Save();
        break;
      case 4:
        Restart();
        break;
      default:
        if (faults_.writers_restart && Pick(20) == 0) RestartWriter(name);
        Happen(name, 1 + static_cast<uint32_t>(Pick(3)));
    }
    ASSERT_EQ(counted, expected);
    ASSERT_LE(counted, truth);
    ASSERT_EQ(tracker.live(), reference_.live());
    ASSERT_EQ(tracker.tombstones(), reference_.tombstones());
  }

  void Finish() { Relist(); }

  // Occurrences that happened, that the tracker counted, and that it should
  // have counted.
  uint64_t truth = 0;
  uint64_t counted = 0;
  uint64_t expected = 0;
  int writer_restarts = 0;
  int lost_events = 0;

  int evictions() const { return reference_.evictions(); }

 private:
  int Pick(int n) { return static_cast<int>(random_() % unsigned(n)); }

  // An Event's count and identity time continue although it expired. Several
  // Events can begin and occur in one second.
  void Happen(int name, uint32_t times) {
    truth += times;
    clock_ += Pick(2);
    Frame& frame = written_[name];
    if (frame.version == 0) {
      frame = {.name = std::to_string(name), .first = clock_, .count = 0};
    }
    if (!alive_.count(name)) frame.uid = static_cast<char>('a' + Pick(26));
    frame.count += times;
    frame.last = clock_;
    frame.version = ++server_version_;
    alive_[name] = frame;
    if (unobserved_) return;
    Observe(name);
    if (Pick(4) == 0) Observe(name);  // a replay
  }

  // The series identifies the Event, so that Replace can report it as gone.
  Sighting SeeAs(int name, const Frame& frame) {
    Sighting sighting = See(frame);
    sighting.series.tuple = static_cast<uint32_t>(name);
    return sighting;
  }

  void Observe(int name) {
    const Frame& frame = alive_.at(name);
    counted += tracker.Observe(SeeAs(name, frame), Now()).delta;
    expected += reference_.Observe(name, frame, now);
  }

  // The writer forgets its count, and sometimes when the Event began.
  void RestartWriter(int name) {
    const auto frame = written_.find(name);
    if (frame == written_.end()) return;
    ++writer_restarts;
    frame->second.count = 0;
    if (Pick(2) == 0) frame->second.first = ++clock_;
  }

  void Expire(int name) {
    if (!alive_.count(name)) return;
    Frame frame = alive_[name];
    alive_.erase(name);
    frame.version = ++server_version_;
    if (unobserved_) {
      ++lost_events;
      return;
    }
    Deleted(frame);
    reference_.Remove(name, frame.version, now);
  }

  void Relist() {
    // Without the fault, the writer of an Event that came and went unobserved
    // writes it again, as the recorders do.
    for (const auto& [name, frame] : written_) {
      if (unobserved_ && !faults_.events_get_lost && !alive_.count(name) &&
          !reference_.Saw(name, frame)) {
        Happen(name, 1);
      }
    }
    unobserved_ = false;
    std::deque<Sighting> sightings;
    for (const auto& [name, frame] : alive_) {
      sightings.push_back(SeeAs(name, frame));
      expected += reference_.Observe(name, frame, now);
    }
    tracker.Replace(
        sightings, false, At(100), Now(),
        [&](const Sighting&, const Change& change) { counted += change.delta; },
        [&](SeriesIds ids) {
          reference_.Remove(static_cast<int>(ids.tuple), 0, now);
        });
    reference_.Evict(now);
  }

  void Save() {
    saved_ = SaveWhole(tracker);
    saved_counted_ = counted;
    saved_reference_ = reference_;
  }

  // The counters go back with the tracker, and a list catches up.
  void Restart() {
    if (saved_.empty() || Pick(2) == 0) Save();
    tracker = EventTracker(limits_);
    ASSERT_TRUE(LoadWhole(tracker, saved_, [](SeriesIds) { return true; }));
    reference_ = saved_reference_;
    counted = expected = saved_counted_;
    unobserved_ = true;
    Relist();
  }

  const Faults faults_;
  const EventTracker::Limits limits_ =
      faults_.evictions ? kFewTombstones : EventTracker::Limits();
  Reference reference_{limits_};
  Reference saved_reference_{limits_};
  std::mt19937 random_;
  std::string saved_;
  uint64_t saved_counted_ = 0;
  std::map<int, Frame> written_;
  std::map<int, Frame> alive_;
  uint64_t server_version_ = 0;
  int clock_ = 200;
  bool unobserved_ = false;
};

class TrackerModelTest : public ::testing::TestWithParam<unsigned> {};

TEST_P(TrackerModelTest, SumOfDeltasIsTheTruth) {
  Model model(GetParam(), {});
  for (int i = 0; i < 3000 && !HasFatalFailure(); ++i) model.Step();
  model.Finish();
  EXPECT_EQ(model.counted, model.truth);
}

TEST_P(TrackerModelTest, EvictedEventsCountWhatIsCertain) {
  Model model(GetParam(), {.evictions = true});
  for (int i = 0; i < 1000 && !HasFatalFailure(); ++i) model.Step();
  model.Finish();
  EXPECT_GT(model.evictions(), 10);
  EXPECT_LT(model.counted, model.truth);
  EXPECT_EQ(model.counted, model.expected);
}

TEST_P(TrackerModelTest, RestartedWritersCountWhatIsCertain) {
  Model model(GetParam(), {.writers_restart = true});
  for (int i = 0; i < 1000 && !HasFatalFailure(); ++i) model.Step();
  model.Finish();
  EXPECT_GT(model.writer_restarts, 10);
  EXPECT_LE(model.counted, model.truth);
  EXPECT_EQ(model.counted, model.expected);
}

TEST_P(TrackerModelTest, EventsLostUnobservedAreNotCounted) {
  Model model(GetParam(), {.events_get_lost = true});
  for (int i = 0; i < 1000 && !HasFatalFailure(); ++i) model.Step();
  model.Finish();
  EXPECT_GT(model.lost_events, 4);
  EXPECT_LE(model.counted, model.truth);
  EXPECT_EQ(model.counted, model.expected);
}

TEST_P(TrackerModelTest, AllFaultsTogether) {
  Model model(
      GetParam(),
      {.evictions = true, .writers_restart = true, .events_get_lost = true});
  for (int i = 0; i < 1000 && !HasFatalFailure(); ++i) model.Step();
  model.Finish();
  EXPECT_GT(model.evictions(), 10);
  EXPECT_LE(model.counted, model.truth);
  EXPECT_EQ(model.counted, model.expected);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TrackerModelTest, ::testing::Range(1U, 21U));

}  // namespace
}  // namespace kem
