// What /livez, /readyz and POST /-/reload answer. Made by what knows the answer
// (pipeline/watch.h, reload.h), sent by web/. Knows nothing of HTTP.
#pragma once

#include <string>

namespace kem {

// One answer of a health endpoint.
struct Health {
  bool ok = false;
  // Why not, one line each; shown as the body.
  std::string text;
};

}  // namespace kem
