#include "reflector/json_scanner.h"

namespace kem {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// A control character, which JSON allows nowhere but as white space.
bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20; }

// Digits, true, false and null.
bool IsScalar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' ||
         c == '+' || c == '.' || c == 'E';
}

// After these a value may begin.
bool IsBeforeValue(char c) { return c == ':' || c == ',' || c == '['; }

}  // namespace

JsonScanner::Status JsonScanner::Scan(std::string_view data, size_t& position) {
  while (position < data.size()) {
    const char c = data[position++];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '"') {
        in_string_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (IsControl(c)) {
        return Status::kMalformed;
      }
      continue;
    }
    if (IsSpace(c)) continue;
    const Status status = Structure(c);
    if (status != Status::kMore) return status;
    previous_ = c;
  }
  return Status::kMore;
}

// One byte outside of strings and white space. That two values never stand
// side by side is what tells a torn frame: the next frame's opening brace comes
// where a comma should.
JsonScanner::Status JsonScanner::Structure(char c) {
  switch (c) {
    case '{':
      if (!IsBeforeValue(previous_)) return Status::kMalformed;
      ++depth_;
      return Status::kMore;
    case '}':
      if (depth_ == 0) return Status::kMalformed;
      return --depth_ == 0 ? Status::kComplete : Status::kMore;
    case '"':
      if (!IsBeforeValue(previous_) && previous_ != '{') {
        return Status::kMalformed;
      }
      in_string_ = true;
      return Status::kMore;
    case '[':
      return IsBeforeValue(previous_) ? Status::kMore : Status::kMalformed;
    case ']':
    case ',':
    case ':':
      return Status::kMore;
    default:
      return IsScalar(c) ? Status::kMore : Status::kMalformed;
  }
}

}  // namespace kem
