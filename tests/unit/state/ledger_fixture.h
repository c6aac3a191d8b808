// A seeded driver that takes every step of a ledger: Events of a few kinds
// occur, end, are listed and expire. Used by the unit tests of the state, each
// with its own seed.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "occurrences/occurrence.h"
#include "state/ledger.h"
#include "testing/entry.h"
#include "testing/saved_ledger.h"

namespace kem {

inline std::string Shown(const Ledger& ledger, SteadyTime now) {
  std::string out;
  SeriesTable::Cursor cursor;
  while (ledger.series().Render(cursor, size_t{1} << 20, now, out)) {
  }
  return out;
}

// Takes the same steps for the same seed, on any ledger.
class Driver {
 public:
  explicit Driver(unsigned seed) : random_(seed) {}

  void Step(Ledger& ledger) {
    now_.steady += std::chrono::seconds(7);
    now_.wall += std::chrono::seconds(7);
    const int event = Pick(60);
    Ledger::Collection& collection =
        ledger.FindCollection(event % 2 ? second : "");
    switch (Pick(18)) {
      case 0:
        return List(ledger, collection);
      case 1:
        return ledger.Progress(collection, ++version_, now_);
      case 2:
        return ledger.Expire(now_);
      case 3:
        ledger.Preset(Labels(event % 5 * 2), now_);
        return;
      case 4:
      case 5:
        ledger.Remove(collection, See(ledger, event), now_);
        return;
      case 6:
        if (rarely_sets_sinks && Pick(50) > 0) return;
        ledger.SetSinks({{"log", 4, 1000},
                         {"otlp", 9, 700},
                         {"sums", 9, 2000, Pick(3) > 0}});
        return;
      case 7:
        return Acknowledge(ledger);
      case 8:
        return ledger.Offer(static_cast<uint32_t>(Pick(8)),
                            OccurrenceOf(event));
      case 9:
        if (ledger.outbox().sinks() > 0) {
          ledger.Remember(0, std::to_string(Pick(9)), Pick(3) ? "x" : "");
        }
        return;
      case 10:
        if (event % 2 == 0) return ledger.ForgetBaseline(collection);
        return ledger.NoteContact(collection, now_.steady);
      default:
        total += ledger.Observe(collection, See(ledger, event), now_).delta;
    }
  }

  const Moment& now() const { return now_; }
  uint64_t total = 0;
  bool rarely_sets_sinks = false;
  const char* second = "shop";  // the name of the second collection

 private:
  int Pick(int n) { return static_cast<int>(random_() % unsigned(n)); }

  SeriesLabels Labels(int event) {
    reason_ = "Reason" + std::to_string(event % 7);
    SeriesLabels labels;
    labels.scope = event % 2 ? Scope::kNamespaced : Scope::kCluster;
    labels.kind = event % 2 ? "Pod" : "Node";
    labels.object_namespace = event % 2 ? "shop" : "";
    labels.object_name = event % 2 ? "" : "worker";
    labels.reason = reason_;
    labels.type = "Normal";
    return labels;
  }

  Sighting See(Ledger& ledger, int event) {
    Sighting sighting;
    sighting.key = ledger.hash()(std::to_string(event));
    sighting.uid = static_cast<uint64_t>(Pick(3));
    sighting.resource_version = version_ += static_cast<uint64_t>(Pick(2));
    sighting.identity_time = now_.wall - std::chrono::seconds(Pick(500));
    sighting.occurred_at = now_.wall;
    sighting.count = static_cast<uint32_t>(1 + Pick(9));
    sighting.combined = Pick(4) == 0;
    sighting.unwatched = Pick(9) == 0;
    sighting.undated = Pick(9) == 0;
    if (Pick(9) == 0) return sighting;  // filtered
    sighting.series = ledger.Intern(Labels(event + Pick(2) * 2));
    return sighting;
  }

  OutboxEntryPtr OccurrenceOf(int event) {
    Occurrence occurrence;
    const std::string uid = std::to_string(event);
    occurrence.uid = uid;
    occurrence.resource_version = version_;
    occurrence.occurred_at = now_.wall;
    return EntryOf(occurrence);
  }

  void Acknowledge(Ledger& ledger) {
    const size_t sinks = ledger.outbox().sinks();
    if (sinks == 0) return;
    const size_t sink = static_cast<size_t>(Pick(3)) % sinks;
    if (Pick(3) == 0) {
      ledger.CloseWindow(sink);
      return;
    }
    const auto oldest = ledger.outbox().size(sink).oldest;
    if (oldest) ledger.Acknowledge(sink, oldest->number + 1);
  }

  void List(Ledger& ledger, Ledger::Collection& collection) {
    std::deque<Sighting> sightings;
    const int parity = collection.name.empty() ? 0 : 1;
    for (int event = parity; event < 60; event += 2) {
      if (Pick(2) == 0) sightings.push_back(See(ledger, event));
    }
    const ListCommit commit{++version_, now_.wall, Pick(10) == 0, Pick(4) == 0,
                            now_.steady - std::chrono::seconds(Pick(9))};
    ledger.Commit(collection, sightings, commit,
                  {Pick(3) == 0 ? "type=x" : "", Pick(3) == 0 ? "x" : ""}, now_,
                  [this](const Sighting&, const Change& change) {
                    total += change.delta;
                  });
  }

  std::mt19937 random_;
  std::string reason_;
  uint64_t version_ = 100;
  Moment now_{SteadyTime(std::chrono::hours(5)),
              WallTime(std::chrono::seconds(1'795'000'000))};
};

inline SeriesOptions SmallOptions() {
  SeriesOptions options;
  options.initial_zero = std::chrono::seconds(20);
  options.max_series = 6;
  options.retention = std::chrono::seconds(200);
  return options;
}

}  // namespace kem
