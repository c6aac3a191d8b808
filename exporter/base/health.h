// The response of /livez and /readyz. Created by pipeline/event_watcher.h and
// offline/offline.cc, sent by web/. Independent of HTTP, so that they need not
// depend on web/.
#pragma once

#include <string>

namespace kem {

struct Health {
  bool ok = false;
  // The problems, one a line; shown as the body.
  std::string text;
};

}  // namespace kem
