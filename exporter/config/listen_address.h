// The address of --web.listen-address. Parsed with the flags, so that an
// invalid one fails the start, and used by web/listener.h, which resolves the
// name and binds it.
#pragma once

#include <string>

#include "base/result.h"

namespace kem {

struct ListenAddress {
  std::string host;  // empty for all interfaces; IPv6 without brackets
  int port = 0;      // 0 for a free one
};

// Parses "host:port", ":port" or "[::1]:port". The error is kInvalidConfig, a
// clause that begins with the text.
Result<ListenAddress> ParseListenAddress(const std::string& text);

}  // namespace kem
