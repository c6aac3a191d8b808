#include "base/gzip_stream.h"

#include <zlib.h>

#include <array>
#include <cassert>

namespace kem {
namespace {

// Higher levels gain little, because exposition text is so repetitive.
constexpr int kLevel = 3;
constexpr int kGzipWindowBits = 15 + 16;
constexpr int kMemoryLevel = 8;

}  // namespace

bool WantsGzip(std::string_view accept_encoding) {
  const size_t at = accept_encoding.find("gzip");
  if (at == std::string_view::npos) return false;
  const std::string_view rest = accept_encoding.substr(at + 4);
  const std::string_view weight = rest.substr(0, rest.find(','));
  // "gzip;q=0" and "gzip; q=0.0" refuse it.
  return weight.find("q=0") == std::string_view::npos ||
         weight.find_first_of("123456789") != std::string_view::npos;
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
