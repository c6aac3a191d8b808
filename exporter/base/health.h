// The response of /livez, /readyz and POST /-/reload. Created by
// pipeline/watch.h and reload.h, sent by web/. Independent of HTTP, so that
// those need not depend on web/.
#pragma once

#include <string>

namespace kem {

struct Health {
  bool ok = false;
  // The problems, one a line; shown as the body.
  std::string text;
};

}  // namespace kem
