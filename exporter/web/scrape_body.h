// The body of a scrape as it goes out: compressed and framed, made piece by
// piece while the client takes it. Used by HttpCodec and ServerConnection. Does
// not know what is in it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/gzip_stream.h"

namespace kem {

// Used by one thread.
class ScrapeBody {
 public:
  // `chunks`: framed as chunks, else ended by closing the connection.
  ScrapeBody(std::function<bool(std::string&)> next, bool gzip, bool chunks);

  // Appends the next piece to `out`, never nothing but with the last one.
  // False with the last.
  bool Next(std::string& out);

 private:
  std::function<bool(std::string&)> next_;
  const std::unique_ptr<GzipStream> gzip_;
  const bool chunks_;
  std::string plain_;
  std::string packed_;
};

}  // namespace kem
