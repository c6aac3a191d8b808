// The exporter's own metrics in OpenMetrics 1.0, which prometheus-cpp cannot
// serialize. Used by OwnMetrics.
// Counters, gauges and histograms only.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "series/families.h"

namespace prometheus {
struct ClientMetric;
}

namespace kem {

// Appends the lines below a family's head. `created` is since when its counters
// and histograms count, or null to leave that out.
void AppendOpenMetrics(const FamilyInfo& info,
                       const std::vector<prometheus::ClientMetric>& samples,
                       const WallTime* created, std::string& out);

}  // namespace kem
