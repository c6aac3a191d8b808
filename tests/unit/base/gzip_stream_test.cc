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
  for (const char* accepts :
       {"gzip", "GZIP", "Gzip ; q=0.5", "br, gzip;q=0.5, deflate", "gzip;q=1.0",
        "gzip;Q=0.001", "deflate,\tgzip", "identity;q=0.4, gzip;q=0.5",
        "gzip, , *;q=0", "x, gzip"}) {
    EXPECT_TRUE(WantsGzip(accepts)) << accepts;
  }
  for (const char* refuses : {"",
                              ",",
                              "identity",
                              "*",
                              "gzipx",
                              "x-gzipx",
                              "xgzip",
                              "gzip;q=0",
                              "br;q=1, gzip; q=0.000, x",
                              "gzip;q=0.0",
                              "gzip;q=2",
                              "gzip;q=1.001",
                              "gzip;q=-1",
                              "gzip;q=",
                              "gzip;q=0.-1",
                              "gzip;q=.5",
                              "gzip;q=0.0001",
                              "gzip;level=1",
                              "gzip=1",
                              "gzip, identity",
                              "identity;q=1, gzip;q=0.5",
                              "br;x=gzip"}) {
    EXPECT_FALSE(WantsGzip(refuses)) << refuses;
  }
}

}  // namespace
}  // namespace kem
