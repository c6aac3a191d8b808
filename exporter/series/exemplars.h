// The Event of the latest occurrence of each row, for OpenMetrics: it leads
// from a counter to the Event that increased it. Used by SeriesTable, one
// object for each kind of rows, with --metrics.exemplars only. About 150 bytes
// a row.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace kem {

class Exemplars {
 public:
  // Does nothing when the row has a newer one.
  void Note(uint32_t row, std::string_view event_namespace,
            std::string_view event_name, WallTime occurred_at);
  void Forget(uint32_t row);
  // Appends the row's exemplar, if any, as it follows a counter's value.
  void Append(uint32_t row, std::string& out) const;

 private:
  struct Exemplar {
    std::string labels;  // as between the braces; empty when there is none
    WallTime at;
  };
  // By row, up to the highest that has one.
  std::vector<Exemplar> exemplars_;
};

}  // namespace kem
