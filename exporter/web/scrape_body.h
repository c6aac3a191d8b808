// The body of a scrape, compressed and framed piece by piece while the client
// reads it, so that a scrape is never in memory as a whole. Used by HttpRouter,
// which creates it, and ServerConnection, which sends it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/gzip_stream.h"

namespace kem {

// Used by one thread.
class ScrapeBody {
 public:
  // Without `chunks` the end of the connection ends the body.
  ScrapeBody(std::function<bool(std::string&)> next, bool gzip, bool chunks);

  // Appends the next piece to `out`. False with the last piece, which alone may
  // be empty.
  bool Next(std::string& out);

 private:
  std::function<bool(std::string&)> next_;
  const std::unique_ptr<GzipStream> gzip_;
  const bool chunks_;
  std::string plain_;
  std::string packed_;
};

}  // namespace kem
