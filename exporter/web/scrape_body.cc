#include "web/scrape_body.h"

#include <array>
#include <charconv>
#include <utility>

namespace kem {

ScrapeBody::ScrapeBody(std::function<bool(std::string&)> next, bool gzip,
                       bool chunks)
    : next_(std::move(next)),
      gzip_(gzip ? std::make_unique<GzipStream>() : nullptr),
      chunks_(chunks) {}

bool ScrapeBody::Next(std::string& out) {
  const size_t before = out.size();
  bool more = true;
  // Compression may buffer a whole piece.
  while (more && out.size() == before) {
    plain_.clear();
    more = next_(plain_);
    std::string* piece = &plain_;
    if (gzip_) {
      packed_.clear();
      gzip_->Append(plain_, !more, packed_);
      piece = &packed_;
    }
    if (!chunks_) {
      out += *piece;
    } else if (!piece->empty()) {
      std::array<char, 16> digits;
      const auto end = std::to_chars(
          digits.data(), digits.data() + digits.size(), piece->size(), 16);
      out.append(digits.data(), end.ptr).append("\r\n");
      out.append(*piece).append("\r\n");
    }
  }
  if (!more && chunks_) out += "0\r\n\r\n";
  return more;
}

}  // namespace kem
