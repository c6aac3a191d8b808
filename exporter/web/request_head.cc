#include "web/request_head.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"

namespace kem {
namespace {

constexpr std::string_view kBlanks = " \t";

// Neither Range nor Expect: the server supports neither.
std::string* FieldOf(std::string_view name, RequestHead& head) {
  const std::pair<std::string_view, std::string*> fields[] = {
      {"accept", &head.accept},
      {"accept-encoding", &head.accept_encoding},
      {"authorization", &head.authorization},
      {"host", &head.host},
      {"origin", &head.origin},
      {"sec-fetch-site", &head.fetch_site}};
  for (const auto& [known, field] : fields) {
    if (name == known) return field;
  }
  return nullptr;
}

// RFC 9110, 5.6.2.
bool IsToken(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return IsAsciiAlphanumeric(c) || kMarks.find(c) != std::string_view::npos;
  });
}

bool HasControl(std::string_view line) {
  return std::any_of(line.begin(), line.end(),
                     [](char c) { return c != '\t' && IsAsciiControl(c); });
}

// "GET /path HTTP/1.1".
bool ReadRequestLine(std::string_view line, RequestHead& head) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return false;
  head.chunks = version == "HTTP/1.1";
  head.keep_alive = head.chunks;
  head.method = line.substr(0, first);
  head.path = target.substr(0, target.find_first_of("?#"));
  return IsToken(head.method) && target.starts_with('/') &&
         target.find(' ') == std::string_view::npos;
}

// Whether a comma-separated header value has the word.
bool HasWord(std::string_view value, std::string_view word) {
  while (!value.empty()) {
    if (AsciiLower(Trim(TakeUntil(value, ','), kBlanks)) == word) return true;
  }
  return false;
}

// False for a line that is no header.
bool ReadHeader(std::string_view line, RequestHead& head) {
  const size_t colon = line.find(':');
  // A folded line begins with a space, which no token does.
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
    return false;
  }
  const std::string name = AsciiLower(line.substr(0, colon));
  const std::string_view value = Trim(line.substr(colon + 1), kBlanks);
  if (name == "connection" && HasWord(value, "close")) head.keep_alive = false;
  if (name == "transfer-encoding" ||
      (name == "content-length" &&
       value.find_first_not_of('0') != std::string_view::npos)) {
    head.state = HeadState::kHasBody;
  }
  std::string* const field = FieldOf(name, head);
  if (field != nullptr && field->empty()) *field = value;
  return true;
}

RequestHead Refused(HeadState state) {
  RequestHead head;
  head.state = state;
  return head;
}

}  // namespace

RequestHead ReadRequestHead(std::string_view bytes, const HeadLimits& limits) {
  RequestHead head;
  // ReadHeader may set kHasBody; it is returned once the head is complete.
  head.state = HeadState::kComplete;
  size_t at = 0;
  while (true) {
    const size_t end = bytes.find('\n', at);
    const bool whole = end != std::string_view::npos;
    const size_t reached = whole ? end + 1 : bytes.size();
    if (reached - at > limits.line || reached > limits.head) {
      return Refused(HeadState::kTooLarge);
    }
    if (!whole) return Refused(HeadState::kIncomplete);
    if (end == at || bytes[end - 1] != '\r') {
      return Refused(HeadState::kMalformed);
    }
    const std::string_view line = bytes.substr(at, end - 1 - at);
    if (HasControl(line)) return Refused(HeadState::kMalformed);
    if (at == 0) {
      if (!ReadRequestLine(line, head)) return Refused(HeadState::kMalformed);
    } else if (line.empty()) {
      head.size = end + 1;
      return head;
    } else if (!ReadHeader(line, head)) {
      return Refused(HeadState::kMalformed);
    }
    at = end + 1;
  }
}

}  // namespace kem
