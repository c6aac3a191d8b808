// The page at / for a person with no Grafana. Rendered on the server; needs no
// script. Used by the app, which gives it to the HTTP server. Does not serve it
// itself.
#pragma once

#include <string>

namespace kem {

// HTML with links to the other endpoints.
std::string RenderPage(const std::string& telemetry_path);

}  // namespace kem
