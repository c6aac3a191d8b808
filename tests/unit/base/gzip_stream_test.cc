#include "base/gzip_stream.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <vector>

namespace kem {
namespace {

std::string Decompress(const std::string& packed) {
  std::string plain(1 << 22, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string input = packed;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(stream.total_out);
  inflateEnd(&stream);
  return plain;
}

std::string Compress(const std::vector<std::string>& pieces) {
  GzipStream stream;
  std::string out;
  for (size_t i = 0; i < pieces.size(); ++i) {
    stream.Append(pieces[i], i + 1 == pieces.size(), out);
  }
  return out;
}

TEST(GzipStreamTest, GivesBackWhatWentIn) {
  std::string text;
  std::vector<std::string> pieces;
  for (int i = 0; i < 40; ++i) {
    std::string piece;
    for (int j = 0; j < 1000; ++j) {
      piece += "kube_event_active{kind=\"" + std::to_string(i * j) + "\"} 1\n";
    }
    text += piece;
    pieces.push_back(piece);
  }
  const std::string packed = Compress(pieces);
  EXPECT_EQ(Decompress(packed), text);
  EXPECT_LT(packed.size() * 4, text.size());
}

TEST(GzipStreamTest, TakesEmptyPieces) {
  EXPECT_EQ(Decompress(Compress({"", "a", "", "b", ""})), "ab");
  EXPECT_EQ(Decompress(Compress({""})), "");
}

TEST(WantsGzipTest, ReadsTheHeader) {
  EXPECT_TRUE(WantsGzip("gzip"));
  EXPECT_TRUE(WantsGzip("br, gzip;q=0.5, deflate"));
  EXPECT_TRUE(WantsGzip("gzip;q=1.0"));
  EXPECT_FALSE(WantsGzip(""));
  EXPECT_FALSE(WantsGzip("identity"));
  EXPECT_FALSE(WantsGzip("gzip;q=0"));
  EXPECT_FALSE(WantsGzip("br;q=1, gzip; q=0.000, x"));
}

}  // namespace
}  // namespace kem
