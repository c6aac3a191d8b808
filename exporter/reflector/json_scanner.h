// Finds where a JSON object ends, one byte at a time. Used by FrameReader for
// objects that are not one compact line, and by OfflineReader. It follows
// strings, escapes and brackets and rejects most of what can never become
// JSON, but does not validate: the decoder of the object does.
#pragma once

#include <cstddef>
#include <string_view>

namespace kem {

inline bool IsJsonSpace(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

class JsonScanner {
 public:
  enum class Status {
    kMore,       // the object continues
    kComplete,   // the byte ends the object
    kMalformed,  // no further bytes can make this an object
  };

  // The first byte after Reset must be '{'.
  Status Step(char c) {
    if (in_string_) return StepInString(c);
    if (IsJsonSpace(c)) return Status::kMore;
    const Status status = StepOutside(c);
    previous_ = c;
    return status;
  }

  // Steps through data[position..], to the end or to a byte that is not kMore,
  // and moves `position` past the last byte seen.
  Status Scan(std::string_view data, size_t& position) {
    Status status = Status::kMore;
    while (status == Status::kMore && position < data.size()) {
      status = Step(data[position++]);
    }
    return status;
  }

  void Reset() { *this = JsonScanner(); }

  // Objects and arrays that are open.
  size_t depth() const { return depth_; }
  bool in_string() const { return in_string_; }
  // The last byte outside of strings that was not white space; a string counts
  // as its opening quote.
  char previous() const { return previous_; }

 private:
  // Digits, true, false and null.
  static bool IsScalar(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '+' || c == '.' || c == 'E';
  }
  // After these a value may begin.
  static bool IsBeforeValue(char c) { return c == ':' || c == ',' || c == '['; }
  Status StepInString(char c) {
    // JSON allows control characters only as white space.
    if (static_cast<unsigned char>(c) < 0x20) return Status::kMalformed;
    if (escaped_) {
      escaped_ = false;
    } else if (c == '"') {
      in_string_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    }
    return Status::kMore;
  }
  // Two values are never side by side. This detects a torn object: the brace of
  // the next one comes where a comma should.
  Status StepOutside(char c) {
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

  size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  char previous_ = ':';
};

}  // namespace kem
