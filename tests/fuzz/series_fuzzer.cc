// Any bytes as a saved series table are rejected, or make a table that counts,
// expires, renders and can be saved.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzzing.h"
#include "series/series_table.h"
#include "testing/whole_save.h"

namespace {

using std::chrono::hours;
using std::chrono::seconds;

const kem::Hasher kHash{kem::Hasher::Secret{}};

std::string Render(const kem::SeriesTable& table, bool open_metrics,
                   kem::SteadyTime now) {
  kem::RenderCursor cursor;
  cursor.style = {open_metrics, open_metrics};
  std::string text;
  while (table.Render(cursor, text.size() + 1000, now, text)) {
  }
  return text;
}

void GoOn(kem::SeriesTable& table) {
  kem::Moment now{kem::SteadyTime(hours(1)), kem::WallTime(hours(1))};
  const size_t shown = table.Counts().shown[0];
  const std::string text = Render(table, false, now.steady);
  const auto lines =
      static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  kem::Require(lines >= shown, "each series is shown");
  Render(table, true, now.steady);
  kem::SeriesLabels labels;
  labels.kind = "Pod";
  labels.reason = "BackOff";
  for (const kem::Scope scope :
       {kem::Scope::kCluster, kem::Scope::kNamespaced}) {
    labels.scope = scope;
    const kem::SeriesIds ids = table.Intern(labels);
    kem::Require(table.Has(ids), "a returned number is in use");
    table.Record(ids, 3, now.wall, now);
    table.Join(ids);
  }
  table.Expire(now.steady + hours(100));
  kem::Require(table.Has(table.Intern(labels)), "a series in use stays");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const kem::SeriesOptions options{seconds(75), 100, hours(24)};
  kem::SeriesTable table(options, kHash);
  if (!kem::LoadWhole(table, bytes)) return 0;
  std::string saved = kem::SaveWhole(table);
  kem::SeriesTable same(options, kHash);
  kem::Require(kem::LoadWhole(same, saved) && kem::SaveWhole(same) == saved,
               "a loaded table is saved unchanged");
  GoOn(table);
  saved = kem::SaveWhole(table);
  kem::SeriesTable other(options, kHash);
  kem::Require(kem::LoadWhole(other, saved), "a saved table can be loaded");
  other.Shift(hours(1));
  kem::Require(other.Counts().shown == table.Counts().shown,
               "what is loaded is shown alike");
  return 0;
}
