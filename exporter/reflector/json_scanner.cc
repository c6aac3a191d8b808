#include "reflector/json_scanner.h"

namespace kem {
namespace {

// Digits, true, false and null.
bool IsScalar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' ||
         c == '+' || c == '.' || c == 'E';
}

// After these a value may begin.
bool IsBeforeValue(char c) { return c == ':' || c == ',' || c == '['; }

}  // namespace

// Two values are never side by side. This detects a torn object: the brace of
// the next one comes where a comma should.
JsonScanner::Status JsonScanner::StepOutside(char c) {
  switch (c) {
    case '{':
    case '[':
      if (!IsBeforeValue(previous_)) return Status::kMalformed;
      ++depth_;
      return Status::kMore;
    case '}':
    case ']':
      // Whether inner brackets match is left to the decoder.
      if (depth_ == 0 || (depth_ == 1 && c != '}')) return Status::kMalformed;
      return --depth_ == 0 ? Status::kComplete : Status::kMore;
    case '"':
      if (!IsBeforeValue(previous_) && previous_ != '{') {
        return Status::kMalformed;
      }
      in_string_ = true;
      return Status::kMore;
    case ',':
    case ':':
      return Status::kMore;
    default:
      return IsScalar(c) ? Status::kMore : Status::kMalformed;
  }
}

}  // namespace kem
