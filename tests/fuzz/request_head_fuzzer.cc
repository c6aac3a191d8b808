// ReadRequestHead survives any bytes, decides a complete head once, and returns
// only short, printable lines.
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
  if (head.state != kem::HeadState::kComplete) {
    kem::Require(head.text.empty() || head.size > 0, "no text without a head");
    return 0;
  }
  kem::Require(head.size > 0 && head.size <= size && head.size <= limits.head,
               "a head is part of the bytes");
  kem::Require(
      head.text.ends_with("\r\n\r\n") && head.text.size() <= head.size + 16,
      "the codec gets no more than came");
  kem::Require(std::none_of(head.text.begin(), head.text.end(),
                            [](char c) { return c == '\0' || c == '\x7f'; }),
               "and no control characters");
  return 0;
}
