// The address that the exporter serves on, as --web.listen-address gives it.
// Checked with the flags, so that a wrong one is told of before anything runs,
// and used by HttpServer. Resolves no names.
#pragma once

#include <string>

#include "base/result.h"

namespace kem {

struct ListenAddress {
  std::string host;  // empty: every interface; IPv6 without brackets
  int port = 0;      // 0: any free one
};

// Reads "host:port", ":port" or "[::1]:port". The error is kInvalidConfig, one
// clause that begins with the text.
Result<ListenAddress> ParseListenAddress(const std::string& text);

}  // namespace kem
