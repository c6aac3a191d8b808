// Selects the format of a scrape by its Accept header: OpenMetrics 1.0 when the
// scraper prefers it to the text format, as client_golang's expfmt does. Used
// for each scrape. There is no protobuf: a scraper that accepts nothing else
// gets the text format.
#pragma once

#include <string>
#include <string_view>

namespace kem {

// Takes any text: malformed elements do not count.
bool PrefersOpenMetrics(std::string_view accept);

std::string ContentType(bool open_metrics);

}  // namespace kem
