// Which text a scraper gets, by its Accept header: OpenMetrics 1.0 when it asks
// for that before the text format, as client_golang's expfmt decides. Used by
// the app for each scrape. Knows no protobuf: who asks for nothing else gets
// the text format.
#pragma once

#include <string>
#include <string_view>

namespace kem {

// True for OpenMetrics. Any text will do as a header: what is malformed does
// not count.
bool PrefersOpenMetrics(std::string_view accept);

// The Content-Type of such a scrape.
std::string ContentType(bool open_metrics);

}  // namespace kem
