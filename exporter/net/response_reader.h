// Reads one HTTP/1.1 response (RFC 9112) from a Connection, piece by piece, and
// knows whether another one may follow. Used by ApiTransport. Refuses truncated
// chunks, long lines and long heads; follows no redirect.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_transport.h"

namespace kem {

class Connection;

// Not thread-safe. After a failure, the connection's End and Message explain
// it.
class ResponseReader {
 public:
  // `connection`, on which a request was sent, must outlive this.
  explicit ResponseReader(Connection& connection) : connection_(connection) {}

  // The head of the final response; interim (1xx) responses are skipped. Empty
  // after a failure. Lines are limited to 8 KiB, the head to 256 KiB.
  std::optional<HttpHead> ReadHead();

  // After the head: the next bytes of the body, as they arrive, valid until the
  // next call. No bytes at its end; empty after a failure.
  std::optional<std::string_view> ReadBody();

  // Whether the response is read to its end and the server takes another
  // request on the connection (RFC 9112, section 9.3). False for HTTP/1.0, for
  // a body that only the end of the connection ends, and when the length is
  // given twice, because two readers may see two ends.
  bool MayReuse() const { return persistent_ && at_end_; }

  // The server's `Keep-Alive: timeout=`: for how long it keeps an idle
  // connection open. Empty when it has none.
  std::optional<std::chrono::seconds> idle_timeout() const {
    return idle_timeout_;
  }

 private:
  enum class Framing { kLength, kChunked, kUntilClose };

  bool ReadLine();
  bool ReadFields(HttpHead& head);
  bool ReadChunkSize();
  bool Fail(const char* why);

  Connection& connection_;
  std::string line_;  // the last one, without its end
  size_t head_bytes_ = 0;
  Framing framing_ = Framing::kLength;
  uint64_t left_ = 0;       // of the body or, when chunked, of the chunk
  bool in_chunks_ = false;  // a chunk size was read
  bool persistent_ = false;
  bool at_end_ = false;  // of the body
  std::optional<std::chrono::seconds> idle_timeout_;
};

}  // namespace kem
