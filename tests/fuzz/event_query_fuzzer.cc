// The query string of the API and the pages. What is read is bounded, and
// written again reads as the same; what is refused has one safe sentence.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "fuzz/fuzzing.h"
#include "history/event_query.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const kem::WallTime now(std::chrono::seconds(1795435200));
  const kem::Result<kem::EventQuery> query = kem::ParseEventQuery(text, now);
  if (!query) {
    const std::string& message = query.error().message;
    kem::Require(query.error().code == kem::ErrorCode::kRejected,
                 "the client is to blame");
    kem::Require(!message.empty() && message.size() < 1000,
                 "an error is one sentence");
    kem::Require(
        std::none_of(message.begin(), message.end(), kem::IsAsciiControl),
        "and has no control characters");
    return 0;
  }
  kem::Require(query->limit > 0 && query->limit <= kem::EventQuery::kMaxLimit,
               "a page is bounded");
  kem::Require(query->words.size() <= kem::kMaxQueryWords,
               "and so are its words");
  for (const std::string* value : {&query->kind, &query->name, &query->reason,
                                   &query->type, &query->component}) {
    kem::Require(
        value->size() <= kem::kMaxQueryValue &&
            std::none_of(value->begin(), value->end(), kem::IsAsciiControl),
        "a value is short text");
  }
  const std::string written = kem::ToUrlQuery(*query);
  const kem::Result<kem::EventQuery> again =
      kem::ParseEventQuery(written, now + std::chrono::hours(1));
  kem::Require(again.has_value() && kem::ToUrlQuery(*again) == written,
               "what is written reads as the same");
  return 0;
}
