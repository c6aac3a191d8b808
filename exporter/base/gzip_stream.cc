#include "base/gzip_stream.h"

#include <zlib.h>

#include <array>
#include <cassert>

#include "base/ascii.h"

namespace kem {
namespace {

// Higher levels gain little, because exposition text is so repetitive.
constexpr int kLevel = 3;
constexpr int kGzipWindowBits = 15 + 16;
constexpr int kMemoryLevel = 8;

// The weight in these parameters, in thousandths (RFC 9110, 12.4.2); 0 also for
// a malformed one.
int Weight(std::string_view parameters) {
  const std::string_view text = Trim(parameters, " \t");
  if (text.empty()) return 1000;
  if (!text.starts_with("q=") && !text.starts_with("Q=")) return 0;
  const std::string_view value = text.substr(2);
  if (value == "0") return 0;
  if (value == "1") return 1000;
  if (value.size() < 2 || value.size() > 5 || value[0] > '1' ||
      value[1] != '.') {
    return 0;
  }
  const std::string digits = value[0] + std::string(value.substr(2)) +
                             std::string(5 - value.size(), '0');
  const int weight = ParseNumber<int>(digits).value_or(0);
  return weight >= 0 && weight <= 1000 ? weight : 0;
}

}  // namespace

bool WantsGzip(std::string_view accept_encoding) {
  int gzip = 0;
  int identity = 0;
  while (!accept_encoding.empty()) {
    std::string_view parameters = TakeUntil(accept_encoding, ',');
    const std::string coding =
        AsciiLower(Trim(TakeUntil(parameters, ';'), " \t"));
    if (coding == "gzip") gzip = Weight(parameters);
    if (coding == "identity") identity = Weight(parameters);
  }
  return gzip > identity;
}

GzipStream::GzipStream() : stream_(std::make_unique<z_stream>()) {
  [[maybe_unused]] const int result =
      deflateInit2(stream_.get(), kLevel, Z_DEFLATED, kGzipWindowBits,
                   kMemoryLevel, Z_DEFAULT_STRATEGY);
  // It can only fail for lack of memory.
  assert(result == Z_OK);
}

GzipStream::~GzipStream() { deflateEnd(stream_.get()); }

void GzipStream::Append(std::string_view piece, bool last, std::string& out) {
  std::array<unsigned char, 16384> buffer;
  // zlib does not write to its input, although the type allows it.
  stream_->next_in =
      const_cast<Bytef*>(reinterpret_cast<const Bytef*>(piece.data()));
  stream_->avail_in = static_cast<uInt>(piece.size());
  do {
    stream_->next_out = buffer.data();
    stream_->avail_out = static_cast<uInt>(buffer.size());
    deflate(stream_.get(), last ? Z_FINISH : Z_NO_FLUSH);
    out.append(reinterpret_cast<const char*>(buffer.data()),
               buffer.size() - stream_->avail_out);
  } while (stream_->avail_out == 0);
}

}  // namespace kem
