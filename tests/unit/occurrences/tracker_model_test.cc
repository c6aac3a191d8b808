// A model of writers and of an API server, played at random: as long as every
// write reaches the tracker by frame or by list, the sum of its deltas is the
// number of times something happened; also through restarts from what was
// saved, be it of now or of long ago.

#include <map>
#include <random>

#include "unit/occurrences/tracker_fixture.h"

namespace kem {
namespace {

class Model : public TrackerTest {
 public:
  explicit Model(unsigned seed) : random_(seed) { Baseline({}); }
  void TestBody() override {}

  void Step() {
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
        Happen(name, 1 + static_cast<uint32_t>(Pick(3)));
    }
  }

  void Finish() { Relist(); }

  uint64_t truth = 0;
  uint64_t counted = 0;

 private:
  int Pick(int n) { return static_cast<int>(random_() % unsigned(n)); }

  // The writer's count goes on though its Event expired, and so does the
  // identity time.
  void Happen(int name, uint32_t times) {
    ++clock_;
    truth += times;
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
    counted += Told(frame);
    if (Pick(4) == 0) counted += Told(frame);  // a replay
  }

  void Expire(int name) {
    if (!alive_.count(name)) return;
    Frame frame = alive_[name];
    alive_.erase(name);
    frame.version = ++server_version_;
    if (!unobserved_) Deleted(frame);
  }

  void Relist() {
    // What came and went while blind would be lost to everybody: its writer
    // writes it again, as the recorders do.
    for (const auto& [name, frame] : written_) {
      if (unobserved_ && !alive_.count(name)) Happen(name, 0);
    }
    std::deque<Frame> frames;
    for (const auto& [name, frame] : alive_) frames.push_back(frame);
    counted += List(frames);
    unobserved_ = false;
  }

  void Save() {
    saved_.clear();
    tracker.Save(saved_);
    saved_counted_ = counted;
  }

  // The counters go back with the tracker, and a list catches up.
  void Restart() {
    if (saved_.empty() || Pick(2) == 0) Save();
    tracker = EventTracker();
    ASSERT_TRUE(tracker.Load(saved_, {}, [](SeriesIds) { return true; }));
    counted = saved_counted_;
    unobserved_ = true;
    Relist();
  }

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
  Model model(GetParam());
  for (int i = 0; i < 3000; ++i) model.Step();
  model.Finish();
  EXPECT_EQ(model.counted, model.truth);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TrackerModelTest, ::testing::Range(1U, 21U));

}  // namespace
}  // namespace kem
