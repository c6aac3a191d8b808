#include "web/request_head.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "net/header_line.h"

namespace kem {
namespace {

constexpr std::string_view kBlanks = " \t";

// What is needed until the head is complete.
struct HeadParser {
  RequestHead head;
  std::string authority;  // of the target
  int hosts = 0;          // lines
};

// Neither Range nor Expect: the server supports neither.
void KeepField(std::string_view name, std::string_view value,
               RequestHead& head) {
  struct Field {
    std::string_view name;
    std::string* to;
    bool list;
  };
  const Field fields[] = {{"accept", &head.accept, true},
                          {"accept-encoding", &head.accept_encoding, true},
                          {"authorization", &head.authorization, false},
                          {"host", &head.host, false},
                          {"origin", &head.origin, false},
                          {"sec-fetch-site", &head.fetch_site, false}};
  for (const Field& field : fields) {
    if (name != field.name) continue;
    if (field.to->empty()) {
      *field.to = value;
    } else if (field.list) {
      field.to->append(",").append(value);
    }
  }
}

bool HasControl(std::string_view line) {
  return std::any_of(line.begin(), line.end(),
                     [](char c) { return c != '\t' && IsAsciiControl(c); });
}

// A host with an optional port, or nothing; the characters of RFC 3986, as
// Go's httpguts.ValidHostHeader. Refuses user names.
bool IsHost(std::string_view text) {
  static constexpr std::string_view kMarks = "!$%&'()*+,-.:;=[]_~";
  return std::all_of(text.begin(), text.end(), [](char c) {
    return IsAsciiAlphanumeric(c) || kMarks.find(c) != std::string_view::npos;
  });
}

// "/path", "http://host/path", or "*" for OPTIONS (RFC 9112, 3.2).
bool ReadTarget(std::string_view target, HeadParser& parser) {
  RequestHead& head = parser.head;
  if (target == "*" && head.method == "OPTIONS") {
    head.path = target;
    return true;
  }
  if (!target.starts_with('/')) {
    const size_t scheme = target.find("://");
    const std::string name = AsciiLower(target.substr(0, scheme));
    if (scheme == std::string_view::npos ||
        (name != "http" && name != "https")) {
      return false;
    }
    target.remove_prefix(scheme + 3);
    const size_t end = std::min(target.find_first_of("/?#"), target.size());
    parser.authority = target.substr(0, end);
    target.remove_prefix(end);
    if (parser.authority.empty() || parser.authority.front() == ':' ||
        !IsHost(parser.authority)) {
      return false;
    }
  }
  if (target.find(' ') != std::string_view::npos) return false;
  target = target.substr(0, target.find('#'));
  head.path = TakeUntil(target, '?');
  head.query = target;
  if (head.path.empty()) head.path = "/";
  return true;
}

// "GET /path HTTP/1.1". A later minor version is compatible.
bool ReadRequestLine(std::string_view line, HeadParser& parser) {
  static constexpr std::string_view kVersion = "HTTP/1.";
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (version.size() != kVersion.size() + 1 || !version.starts_with(kVersion) ||
      !IsAsciiDigit(version.back())) {
    return false;
  }
  RequestHead& head = parser.head;
  head.chunks = version.back() != '0';
  head.keep_alive = head.chunks;
  head.method = line.substr(0, first);
  return IsHttpToken(head.method) && ReadTarget(target, parser);
}

// Whether a comma-separated header value has the word.
bool HasWord(std::string_view value, std::string_view word) {
  while (!value.empty()) {
    if (AsciiLower(Trim(TakeUntil(value, ','), kBlanks)) == word) return true;
  }
  return false;
}

// False for a line that is no header.
bool ReadHeader(std::string_view line, HeadParser& parser) {
  // A folded line begins with a space, which no token does.
  const std::optional<HeaderLine> field = SplitHeaderLine(line);
  if (!field) return false;
  const std::string name = AsciiLower(field->name);
  const std::string_view value = field->value;
  RequestHead& head = parser.head;
  if (name == "host") ++parser.hosts;
  if (name == "connection" && HasWord(value, "close")) head.keep_alive = false;
  if (name == "transfer-encoding" ||
      (name == "content-length" &&
       value.find_first_not_of('0') != std::string_view::npos)) {
    head.state = HeadState::kHasBody;
  }
  KeepField(name, value, head);
  return true;
}

RequestHead Refused(HeadState state) {
  RequestHead head;
  head.state = state;
  return head;
}

// After the empty line.
RequestHead Complete(HeadParser parser, size_t size) {
  RequestHead& head = parser.head;
  // RFC 9112, 3.2; HTTP/1.0 had no Host.
  if (parser.hosts > 1 || (parser.hosts == 0 && head.chunks) ||
      !IsHost(head.host)) {
    return Refused(HeadState::kBadHost);
  }
  head.size = size;
  if (!parser.authority.empty()) head.host = std::move(parser.authority);
  return std::move(head);
}

}  // namespace

RequestHead ReadRequestHead(std::string_view bytes, const HeadLimits& limits) {
  HeadParser parser;
  // ReadHeader may set kHasBody; it is returned once the head is complete.
  parser.head.state = HeadState::kComplete;
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
      if (!ReadRequestLine(line, parser)) return Refused(HeadState::kMalformed);
    } else if (line.empty()) {
      return Complete(std::move(parser), end + 1);
    } else if (!ReadHeader(line, parser)) {
      return Refused(HeadState::kMalformed);
    }
    at = end + 1;
  }
}

}  // namespace kem
