// The Event of the latest occurrence of each row, which OpenMetrics can tell
// beside a counter: how one finds the Event that moved it. Used by SeriesTable,
// which has one of these for each kind of rows, and only when they are wanted:
// a row's takes about 150 bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace kem {

class Exemplars {
 public:
  // Does nothing when a newer one is known.
  void Note(uint32_t row, std::string_view event_namespace,
            std::string_view event_name, WallTime occurred_at);
  void Forget(uint32_t row);
  // What stands behind a counter's value; nothing where there is none.
  void Append(uint32_t row, std::string& out) const;

 private:
  struct Exemplar {
    std::string labels;  // as between its braces; empty where there is none
    WallTime at;
  };
  // As many as the highest row that has one.
  std::vector<Exemplar> exemplars_;
};

}  // namespace kem
