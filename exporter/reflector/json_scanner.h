// Finds where a JSON object ends in bytes that come in pieces. Used by
// FrameReader for what is not one compact document a line. It follows strings,
// escapes and braces and notices most of what can never become JSON, but it is
// no validator: who decodes the object has the last word.
#pragma once

#include <cstddef>
#include <string_view>

namespace kem {

class JsonScanner {
 public:
  enum class Status {
    kMore,       // the object goes on after these bytes
    kComplete,   // the object ends at the position returned
    kMalformed,  // no further bytes can make this an object
  };

  // Looks at data[position..] and moves `position` past what was looked at, so
  // that no byte is looked at twice. The first byte after Reset must be '{'.
  Status Scan(std::string_view data, size_t& position);

  void Reset() { *this = JsonScanner(); }

 private:
  Status Structure(char c);

  size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  char previous_ = ':';  // the last byte that was neither space nor in a string
};

}  // namespace kem
