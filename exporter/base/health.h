// The response of /livez, /readyz and POST /-/reload. Made by pipeline/watch.h
// and reload.h, sent by web/. Does not depend on HTTP.
#pragma once

#include <string>

namespace kem {

struct Health {
  bool ok = false;
  // The problems, one a line; shown as the body.
  std::string text;
};

}  // namespace kem
