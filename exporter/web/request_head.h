// Parses a request's head: finds its end, checks it and keeps the fields that
// the server uses. Used by ServerConnection. Does not decode percent-encoding:
// HttpRouter does for the paths that need it. Pure; a fuzzer's target.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kem {

struct HeadLimits {
  size_t line = size_t{8} << 10;   // bytes; a browser behind a proxy needs some
  size_t head = size_t{16} << 10;  // bytes
};

enum class HeadState {
  kIncomplete,  // more bytes are needed
  kComplete,
  kMalformed,  // not HTTP/1.0 or 1.1: 400
  kBadHost,    // no, two or an invalid Host: 400
  kPlainHttp,  // for TLS: 400; set by ServerConnection
  kTooLarge,   // 431
  kHasBody,    // no route accepts one: 413
};

struct RequestHead {
  HeadState state = HeadState::kIncomplete;
  // Bytes of the head, when complete.
  size_t size = 0;
  std::string method;
  // Without query and fragment, also when the target was a whole URL; "*" of
  // OPTIONS.
  std::string path;
  std::string query;        // what follows the '?'; no fragment
  bool keep_alive = false;  // HTTP/1.1 without "Connection: close"
  bool chunks = false;      // HTTP/1.1: the client accepts chunks
  // Header values; empty when absent.
  std::string accept;           // all lines, joined by commas
  std::string accept_encoding;  // likewise
  std::string authorization;    // the first line, like the others
  std::string host;             // of the target, when that was a whole URL
  std::string origin;
  std::string fetch_site;
};

// Parses the bytes received so far. `bytes` may hold more than one request;
// only the first is read. All fields but `state` are empty unless it is
// kComplete or kHasBody.
RequestHead ReadRequestHead(std::string_view bytes, const HeadLimits& limits);

}  // namespace kem
