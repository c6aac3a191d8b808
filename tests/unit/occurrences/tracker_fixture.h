// Watch events and lists for the tracker's tests, and the calls that pass them
// to a tracker. Times are seconds. A baseline list is at second 100, so an
// Event of 150 began after it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "occurrences/event_tracker.h"

namespace kem {

struct Frame {
  std::string name = "x";
  char uid = 'a';
  uint64_t version = 0;  // 0: the next one
  int first = 150;       // identity time
  int last = 150;
  uint32_t count = 1;
};

class TrackerTest : public ::testing::Test {
 protected:
  TrackerTest() : TrackerTest(EventTracker::Limits()) {}
  explicit TrackerTest(EventTracker::Limits limits) : tracker(limits) {}

  static WallTime At(int second) {
    return WallTime(std::chrono::seconds(second));
  }

  Sighting See(const Frame& frame) {
    Sighting sighting;
    sighting.key = hash(frame.name);
    sighting.uid = static_cast<unsigned char>(frame.uid);
    sighting.resource_version = frame.version ? frame.version : ++version;
    version = std::max(version, sighting.resource_version);
    sighting.identity_time = At(frame.first);
    sighting.occurred_at = At(frame.last);
    sighting.count = frame.count;
    sighting.series = {7, SeriesIds::kNone};
    sighting.undated = At(frame.first) > wall + kMaxAhead;
    return sighting;
  }

  // ADDED or MODIFIED, which the tracker treats alike.
  uint32_t Observe(const Frame& frame) {
    return tracker.Observe(See(frame), Now()).delta;
  }
  void Deleted(const Frame& frame) { tracker.Remove(See(frame), Now()); }

  // Returns the sum of all deltas.
  uint32_t List(const std::deque<Frame>& frames, bool baseline = false,
                int server_time = 100) {
    std::deque<Sighting> sightings;
    for (const Frame& frame : frames) sightings.push_back(See(frame));
    uint32_t total = 0;
    tracker.Replace(
        sightings, baseline, At(server_time), Now(),
        [&](const Sighting&, const Change& change) { total += change.delta; },
        [&](SeriesIds) { ++gone; });
    return total;
  }
  uint32_t Baseline(const std::deque<Frame>& frames, int server_time = 100) {
    return List(frames, true, server_time);
  }

  Moment Now() const { return {now, wall}; }

  Hasher hash;
  EventTracker tracker;
  uint64_t version = 0;
  int gone = 0;
  SteadyTime now{std::chrono::hours(1)};
  WallTime wall = At(10'000'000);
};

}  // namespace kem
