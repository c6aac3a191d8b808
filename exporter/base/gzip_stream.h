// Streaming gzip compression for HTTP: scrapes and sinks. At zlib's default
// level it would take more than twice the time, and Prometheus requests gzip
// for every scrape. Does not decompress.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace kem {

// Whether an Accept-Encoding header's value prefers gzip to no compression, by
// the rules of RFC 9110, 12.5.3, and for equal weights of client_golang.
bool WantsGzip(std::string_view accept_encoding);

// Not thread-safe. Takes 256 KiB of memory while it lives.
class GzipStream {
 public:
  GzipStream();
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  // Compresses `piece` and appends the output that is ready, if any, to `out`;
  // with `last` all of it. No piece may follow the last one.
  void Append(std::string_view piece, bool last, std::string& out);

 private:
  const std::unique_ptr<z_stream_s> stream_;
};

}  // namespace kem
