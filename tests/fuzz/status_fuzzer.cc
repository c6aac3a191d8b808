// From any body of an error response, ParseStatus returns a valid status.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "apiserver/api_status.h"
#include "base/safe_text.h"
#include "base/utf8.h"
#include "fuzz/fuzzing.h"

namespace {

void RequireShown(std::string_view line) {
  while (!line.empty()) {
    const kem::Utf8Char c = kem::FirstUtf8(line);
    kem::Require(c.code != kem::Utf8Char::kInvalid, "a line is UTF-8");
    kem::Require(!kem::IsHidden(c.code), "a line has no hidden characters");
    line.remove_prefix(c.size);
  }
}

void RequireShowable(std::string_view line) {
  kem::Require(line.size() <= 200, "a line is at most 200 bytes long");
  RequireShown(line);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const kem::ApiStatus status = kem::ParseStatus(body);
  RequireShowable(status.message);
  RequireShowable(status.reason);
  RequireShown(kem::WhatCame(body));
  RequireShown(kem::StatusText(0, body.substr(0, 5), body));
  kem::Require(status.code == 0 || (status.code >= 100 && status.code < 600),
               "the code is an HTTP status");
  if (status.retry_after) {
    kem::Require(
        status.retry_after->count() > 0 && status.retry_after->count() <= 86400,
        "Retry-After is within a day");
  }
  for (int http_status = 100; http_status < 600; ++http_status) {
    const kem::ErrorCode code = kem::ToErrorCode(http_status, status);
    kem::Require(!kem::ToString(code).empty(), "every code has a name");
  }
  const kem::Failure failure = kem::ToFailure("GET /x", 500, {}, body);
  kem::Require(failure.error.message.find('\n') == std::string::npos,
               "a failure is one line");
  return 0;
}
