// For the tests of the series table: a table, two kinds of labels, and the text
// of a scrape. Used by the files in this folder. Does not move time; each test
// does.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "series/series_table.h"

namespace kem {

class SeriesTest : public ::testing::Test {
 protected:
  static SeriesLabels Node(std::string_view name = "worker-1") {
    SeriesLabels labels;
    labels.scope = Scope::kCluster;
    labels.kind = "Node";
    labels.object_name = name;
    labels.reason = "NodeNotReady";
    labels.type = "Normal";
    labels.reporting_component = "node-controller";
    return labels;
  }
  static SeriesLabels Pod(std::string_view reason = "BackOff") {
    SeriesLabels labels;
    labels.scope = Scope::kNamespaced;
    labels.kind = "Pod";
    labels.object_namespace = "shop";
    labels.reason = reason;
    labels.type = "Warning";
    labels.reporting_component = "kubelet";
    return labels;
  }

  // `second` is of the wall clock.
  static SeriesIds Happen(SeriesTable& where, const SeriesLabels& labels,
                          uint32_t delta, int second, const Moment& now) {
    const SeriesIds ids = where.Intern(labels);
    where.Record(ids, delta, WallTime(std::chrono::seconds(second)), now);
    return ids;
  }
  SeriesIds Happen(const SeriesLabels& labels, uint32_t delta, int second) {
    return Happen(table, labels, delta, second, now);
  }

  void Wait(std::chrono::seconds time) {
    now.steady += time;
    now.wall += time;
  }

  std::string Render(const SeriesTable& what, size_t piece = 1 << 20) const {
    std::string all;
    SeriesTable::Cursor cursor;
    bool more = true;
    while (more) {
      std::string out;
      more = what.Render(cursor, piece, now.steady, out);
      all += out;
    }
    return all;
  }
  std::string Render(size_t piece = 1 << 20) const {
    return Render(table, piece);
  }

  uint64_t Shown(Family family) const {
    return table.Counts().shown[static_cast<size_t>(family)];
  }
  uint64_t Overflowed(Family family) const {
    return table.Counts().overflowed[static_cast<size_t>(family)];
  }

  Moment now{SteadyTime(std::chrono::hours(1)),
             WallTime(std::chrono::seconds(1'700'000'000))};
  Hasher hash;
  SeriesTable table{{}, hash};
};

}  // namespace kem
