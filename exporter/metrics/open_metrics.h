// The exporter's own metrics in OpenMetrics 1.0, which the serializer of
// prometheus-cpp does not know. Used by OwnMetrics, from the samples that the
// serializer takes for the text format. Knows counters, gauges and histograms.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "series/families.h"

namespace prometheus {
struct ClientMetric;
}

namespace kem {

// Appends the lines below a family's head. `created`: since when its counters
// and histograms count; null when that is not told.
void AppendOpenMetrics(const FamilyInfo& info,
                       const std::vector<prometheus::ClientMetric>& samples,
                       const WallTime* created, std::string& out);

}  // namespace kem
