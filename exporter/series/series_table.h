// The series of the four event families: which label tuples exist and what
// their values are. The label text of a series is rendered once, at its birth,
// and shared by the families that show the same tuple; a scrape only copies it.
// Used by the pipeline, which counts into it, and by the scrape, which renders
// it piece by piece. Knows nothing of Events or of HTTP.
//
// Not thread-safe: guarded by its owner's mutex. The scrape takes that mutex
// for one piece at a time, so that counting never waits for a slow reader.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "events/scope.h"
#include "occurrences/event_tracker.h"

namespace kem {

// Name, type and help of one event family, as exposed and as documented in
// METRICS.md (tests/lint compares them).
struct FamilyInfo {
  std::string_view name;
  std::string_view type;
  std::string_view help;
};

// Whose labels a row has: a tuple's (with object_namespace) or one
// cluster-scoped object's (with object_name).
enum class Who { kTuple, kObject };

enum class Family { kOccurrences, kObjectOccurrences, kLastSeen, kActive };
inline constexpr size_t kFamilyCount = 4;
const FamilyInfo& Info(Family family);

// What a series is about. Values may be any bytes: they are cut to 256 bytes
// at a character's end, and NUL, which Prometheus cannot read, is replaced.
// They must be valid UTF-8 (the decoder's are).
struct SeriesLabels {
  Scope scope = Scope::kNamespaced;
  std::string_view api_group;
  std::string_view kind;
  std::string_view object_namespace;  // namespaced objects only
  std::string_view object_name;       // cluster-scoped objects only
  std::string_view reason;
  std::string_view type;  // Normal, Warning or other
  std::string_view reporting_component;
};

class SeriesTable {
 public:
  // A counter shows 0 for `birth_hold` after its birth, then its value, so
  // that every Prometheus that scrapes at least that often sees the first
  // increment.
  explicit SeriesTable(std::chrono::seconds birth_hold);

  // The numbers of the tuple's series, made when they are new. A new series is
  // not shown before something is recorded in it.
  SeriesIds Intern(const SeriesLabels& labels);

  // `delta` occurrences (0 is fine), the newest at `occurred_at`.
  void Record(SeriesIds ids, uint32_t delta, WallTime occurred_at,
              SteadyTime now);
  // An Event object appeared in, or left, the tuple.
  void Join(SeriesIds ids) { ++tuples_.rows[ids.tuple].active; }
  void Leave(SeriesIds ids) { --tuples_.rows[ids.tuple].active; }

  // How many series `family` shows.
  size_t Count(Family family) const;

  // Where a scrape stands. Starts at the first family's head.
  struct Cursor {
    size_t family = 0;
    size_t row = 0;
    bool head_done = false;
  };
  // Appends lines in text format 0.0.4 until `out` holds at least `size` bytes
  // or all is said. False when there is no more. Series born during a scrape
  // may or may not be in it.
  bool Render(Cursor& cursor, size_t size, SteadyTime now,
              std::string& out) const;

 private:
  struct Row {
    Hash128 key;
    const char* text = nullptr;
    uint16_t text_size = 0;
    uint16_t split = 0;  // where the label goes that only last-seen has
    int32_t active = 0;
    uint64_t occurrences = 0;
    WallTime last_seen;
    SteadyTime born;  // kUnborn until something is recorded
    bool cluster = false;
  };
  // Finds rows by key; linear probing, at most 3/4 full.
  struct Rows {
    std::deque<Row> rows;
    std::vector<uint32_t> slots;
    size_t born = 0;
  };
  static constexpr SteadyTime kUnborn = SteadyTime::max();

  uint32_t InternRow(Rows& rows, const SeriesLabels& labels, Who who);
  uint32_t FindOrAdd(Rows& rows, const Hash128& key, bool& added);
  const char* Keep(std::string_view text);
  void Touch(Rows& rows, Row& row, WallTime occurred_at, SteadyTime now);
  void RenderRow(Family family, const Row& row, SteadyTime now,
                 std::string& out) const;

  const std::chrono::seconds birth_hold_;
  const Hasher hash_;
  Rows tuples_;
  Rows objects_;
  size_t cluster_tuples_born_ = 0;
  // Label texts, in blocks that never move.
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_left_ = 0;
  std::string scratch_;
};

}  // namespace kem
