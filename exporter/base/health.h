// What /livez and /readyz answer. Made by pipeline/event_watcher.h and
// offline/offline.cc, sent by web/.
// No HTTP here.
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
