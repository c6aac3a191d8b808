// ReadRequestHead survives any bytes, keeps its verdict when more bytes follow,
// and returns short, printable fields only, with a path and a host.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzzing.h"
#include "web/request_head.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const kem::HeadLimits limits{200, 500};
  const kem::RequestHead head = kem::ReadRequestHead(bytes, limits);
  for (const size_t part : {size / 2, size - std::min<size_t>(size, 1)}) {
    const kem::RequestHead before =
        kem::ReadRequestHead(bytes.substr(0, part), limits);
    kem::Require(before.state == kem::HeadState::kIncomplete ||
                     before.state == head.state,
                 "more bytes do not change a verdict");
  }
  if (head.state != kem::HeadState::kComplete) return 0;
  kem::Require(head.size > 0 && head.size <= size && head.size <= limits.head,
               "a head is part of the bytes");
  kem::Require(head.path.starts_with('/') || head.path == "*",
               "a target has a path");
  kem::Require(head.host.find_first_of(" \t/@?#") == std::string::npos,
               "a host is one");
  std::string text = head.method + head.path + head.query;
  for (const std::string* field :
       {&head.accept, &head.accept_encoding, &head.authorization, &head.host,
        &head.origin, &head.fetch_site}) {
    text += *field;
  }
  kem::Require(text.size() <= head.size, "no more comes out than went in");
  kem::Require(std::none_of(text.begin(), text.end(),
                            [](char c) { return c == '\0' || c == '\x7f'; }),
               "and no control characters");
  return 0;
}
