// What /livez and /readyz answer. Made in pipeline/event_watcher.h, sent by
// web/.
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
