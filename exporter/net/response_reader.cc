#include "net/response_reader.h"

#include <utility>

#include "base/ascii.h"
#include "base/rfc3339.h"
#include "net/connection.h"
#include "net/header_line.h"

namespace kem {
namespace {

constexpr size_t kMaxLine = size_t{8} << 10;
constexpr size_t kMaxHead = size_t{256} << 10;
constexpr char kInvalid[] = "the response is not valid HTTP/1.1";

// "HTTP/1.1 200 OK", with or without the reason; 0 for anything else.
int ParseStatusLine(std::string_view line) {
  constexpr size_t kCodeAt = 9;
  if (!line.starts_with("HTTP/1.0 ") && !line.starts_with("HTTP/1.1 ")) {
    return 0;
  }
  if (line.size() > kCodeAt + 3 && line[kCodeAt + 3] != ' ') return 0;
  const int status = ParseNumber<int>(line.substr(kCodeAt, 3)).value_or(0);
  return status >= 100 ? status : 0;
}

// RFC 9110, 10.2.3: seconds, or a date. Only the server's own clock can be
// compared with that date.
std::optional<std::chrono::seconds> ParseRetryAfter(
    std::string_view text, std::optional<WallTime> date) {
  const std::optional<int> count = ParseNumber<int>(text);
  if (count && *count >= 0) return std::chrono::seconds(*count);
  const std::optional<WallTime> until = ParseHttpDate(text);
  if (!until || !date || *until < *date) return std::nullopt;
  return std::chrono::ceil<std::chrono::seconds>(*until - *date);
}

// Calls `take` with each item of a list, "a, b".
template <typename Take>
void ForEachItem(std::string_view list, const Take& take) {
  while (!list.empty()) take(Trim(TakeUntil(list, ','), " \t"));
}

// Of "timeout=5, max=100" the first number; not in an RFC, but in use.
std::optional<std::chrono::seconds> ParseKeepAlive(std::string_view value) {
  std::optional<std::chrono::seconds> timeout;
  ForEachItem(value, [&timeout](std::string_view item) {
    const std::string_view name = TakeUntil(item, '=');
    if (AsciiLower(name) != "timeout") return;
    const std::optional<uint32_t> count = ParseNumber<uint32_t>(item);
    if (count) timeout = std::chrono::seconds(*count);
  });
  return timeout;
}

}  // namespace

std::optional<HttpHead> ResponseReader::ReadHead() {
  HttpHead head;
  do {
    head = {};
    if (!ReadLine()) return std::nullopt;
    head.status = ParseStatusLine(line_);
    if (head.status == 0) {
      Fail(kInvalid);
      return std::nullopt;
    }
    persistent_ = line_.starts_with("HTTP/1.1 ");
    idle_timeout_.reset();
    if (!ReadFields(head)) return std::nullopt;
    // No request has an Upgrade: what follows 101 is not known.
    if (head.status == 101) {
      Fail(kInvalid);
      return std::nullopt;
    }
  } while (head.status < 200);
  if (head.status == 204 || head.status == 304) {
    framing_ = Framing::kLength;
    left_ = 0;
  }
  return head;
}

// Reads the fields up to the empty line and sets the framing (RFC 9112, 6.3).
bool ResponseReader::ReadFields(HttpHead& head) {
  framing_ = Framing::kUntilClose;
  std::string retry_after;
  std::optional<uint64_t> length;
  bool chunked = false;
  while (ReadLine()) {
    if (line_.empty()) {
      head.retry_after = ParseRetryAfter(retry_after, head.date);
      if (chunked) {
        framing_ = Framing::kChunked;
        left_ = 0;
        persistent_ = persistent_ && !length;
      } else if (length) {
        framing_ = Framing::kLength;
        left_ = *length;
      }
      return true;
    }
    const std::optional<HeaderLine> line = SplitHeaderLine(line_);
    if (!line) return Fail(kInvalid);
    const std::string name = AsciiLower(line->name);
    const std::string_view value = line->value;
    if (name == "date") {
      head.date = ParseHttpDate(value);
    } else if (name == "retry-after") {
      retry_after = value;
    } else if (name == "transfer-encoding") {
      if (std::exchange(chunked, true) || AsciiLower(value) != "chunked") {
        return Fail(kInvalid);
      }
    } else if (name == "content-length") {
      const std::optional<uint64_t> number = ParseNumber<uint64_t>(value);
      if (!number || (length && length != number)) return Fail(kInvalid);
      length = number;
    } else if (name == "connection") {
      ForEachItem(value, [this](std::string_view item) {
        if (AsciiLower(item) == "close") persistent_ = false;
      });
    } else if (name == "keep-alive") {
      idle_timeout_ = ParseKeepAlive(value);
    }
  }
  return false;
}

std::optional<std::string_view> ResponseReader::ReadBody() {
  if (framing_ == Framing::kChunked && left_ == 0 && !ReadChunkSize()) {
    return std::nullopt;
  }
  const bool bounded = framing_ != Framing::kUntilClose;
  if (bounded && left_ == 0) {
    at_end_ = true;
    return std::string_view();
  }
  const std::string_view bytes = connection_.Read(bounded ? left_ : SIZE_MAX);
  if (bytes.empty() && (bounded || connection_.End() != IoEnd::kClosed)) {
    return std::nullopt;
  }
  if (bounded) left_ -= bytes.size();
  return bytes;
}

// "1a", perhaps with extensions: "1a;name=value". The line end of the chunk
// before comes first; trailer fields follow the size 0 and are ignored.
bool ResponseReader::ReadChunkSize() {
  head_bytes_ = 0;
  if (in_chunks_) {
    if (!ReadLine()) return false;
    if (!line_.empty()) return Fail(kInvalid);
  }
  in_chunks_ = true;
  if (!ReadLine()) return false;
  const std::string_view line = line_;
  const std::optional<uint64_t> size =
      ParseNumber<uint64_t>(Trim(line.substr(0, line.find(';')), " \t"), 16);
  if (!size) return Fail(kInvalid);
  left_ = *size;
  if (left_ > 0) return true;
  framing_ = Framing::kLength;
  do {
    if (!ReadLine()) return false;
  } while (!line_.empty());
  return true;
}

bool ResponseReader::ReadLine() {
  line_.clear();
  while (true) {
    const std::string_view byte = connection_.Read(1);
    if (byte.empty()) return false;
    if (byte == "\n") break;
    line_ += byte;
    if (line_.size() > kMaxLine) {
      return Fail("the response has a line over 8 KiB");
    }
  }
  if (line_.ends_with('\r')) line_.pop_back();
  head_bytes_ += line_.size() + 2;
  return head_bytes_ <= kMaxHead || Fail("the response head is over 256 KiB");
}

bool ResponseReader::Fail(const char* why) {
  return connection_.Fail(IoEnd::kFailed, why);
}

}  // namespace kem
