// Where a request's head ends, and what of it matters to us. Used by
// ServerConnection before cpp-httplib sees a byte: 0.11.4 reads lines of any
// length and number, matches some headers by std::regex, which recurses once a
// character, and would wait for a body. Pure; a fuzzer's target.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kem {

struct HeadLimits {
  size_t line = size_t{8} << 10;  // as a browser behind a proxy may need
  size_t head = size_t{16} << 10;
};

enum class HeadState {
  kIncomplete,  // more bytes are needed
  kComplete,
  kMalformed,  // not HTTP/1.0 or 1.1: 400
  kTooLarge,   // 431
  kHasBody,    // nothing here takes one: 413
};

struct RequestHead {
  HeadState state = HeadState::kIncomplete;
  // Bytes taken, when complete.
  size_t size = 0;
  // The request line and the headers that something of ours reads, each with
  // its line's end, and the empty line.
  std::string text;
  bool head_only = false;   // the method is HEAD
  bool keep_alive = false;  // HTTP/1.1 without "Connection: close"
  bool chunks = false;      // HTTP/1.1: the client knows chunks
  // The header's value, which is not in `text`.
  std::string authorization;
};

// Judges the bytes received so far. `bytes` may hold more than one request;
// only the first is looked at.
RequestHead ReadRequestHead(std::string_view bytes, const HeadLimits& limits);

}  // namespace kem
