// gzip, piece by piece, of what goes out over HTTP: scrapes and sinks. In
// place of httplib's own compression, which takes more than twice the time at
// zlib's default level: every Prometheus asks for gzip at every scrape. Does
// not decompress.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace kem {

// Whether an Accept-Encoding header's value asks for gzip (RFC 9110, 12.5.3).
bool WantsGzip(std::string_view accept_encoding);

// Used by one thread. Takes a quarter of a megabyte while it lives.
class GzipStream {
 public:
  GzipStream();
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  // Appends to `out` what of the compressed text is ready, which may be
  // nothing; with `last` all of it. Nothing may follow the last piece.
  void Append(std::string_view piece, bool last, std::string& out);

 private:
  const std::unique_ptr<z_stream_s> stream_;
};

}  // namespace kem
