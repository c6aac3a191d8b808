#include "reflector/frame_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/json_padding.h"

namespace kem {
namespace {

constexpr size_t kSmallBuffer = size_t{64} << 10;
// A larger buffer is freed when it is empty.
constexpr size_t kKeptBuffer = size_t{1} << 20;

std::string_view WithoutTrailingSpaces(std::string_view text) {
  while (!text.empty() && IsJsonSpace(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

FrameReader::FrameReader(size_t max_frame)
    : max_frame_(max_frame),
      buffer_(std::make_unique_for_overwrite<char[]>(kSmallBuffer)),
      capacity_(kSmallBuffer) {}

void FrameReader::Append(std::string_view bytes) {
  const size_t pending = end_ - begin_;
  if (end_ + bytes.size() + kJsonPadding > capacity_) {
    const size_t needed = pending + bytes.size() + kJsonPadding;
    if (needed <= capacity_) {
      std::memmove(buffer_.get(), buffer_.get() + begin_, pending);
    } else {
      const size_t capacity = std::max(needed, 2 * capacity_);
      auto buffer = std::make_unique_for_overwrite<char[]>(capacity);
      std::memcpy(buffer.get(), buffer_.get() + begin_, pending);
      buffer_ = std::move(buffer);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = pending;
  }
  std::copy(bytes.begin(), bytes.end(), buffer_.get() + end_);
  end_ += bytes.size();
}

std::optional<Frame> FrameReader::Next() {
  if (mode_ == Mode::kSkipFrame) SkipFrame();
  if (mode_ == Mode::kSkipLine) SkipLine();
  if (mode_ == Mode::kSkipFrame || mode_ == Mode::kSkipLine) return {};
  if (search_ == 0) SkipSpaces();
  if (begin_ == end_) {
    Empty();
    return {};
  }
  if (buffer_[begin_] != '{') return Malformed();
  return mode_ == Mode::kLine ? NextByLine() : NextByScan();
}

std::optional<Frame> FrameReader::NextByLine() {
  const std::string_view pending = Pending();
  const void* newline =
      std::memchr(pending.data() + search_, '\n', pending.size() - search_);
  if (newline != nullptr) {
    const auto length =
        static_cast<size_t>(static_cast<const char*>(newline) - pending.data());
    const std::string_view line =
        WithoutTrailingSpaces(pending.substr(0, length));
    if (line.back() == '}' && line.size() <= max_frame_) {
      return Take(line.size());
    }
    search_ = length + 1;
    mode_ = Mode::kScan;
    return NextByScan();
  }
  search_ = pending.size();
  // Only then can the object be complete. So a frame in pieces is seldom
  // scanned, and no byte twice.
  if (pending.back() == '}' || pending.size() > max_frame_) {
    return NextByScan();
  }
  return {};
}

std::optional<Frame> FrameReader::NextByScan() {
  switch (scanner_.Scan(Pending(), scanned_)) {
    case JsonScanner::Status::kComplete:
      return Take(scanned_);
    case JsonScanner::Status::kMalformed:
      return Malformed();
    case JsonScanner::Status::kMore:
      break;
  }
  if (Pending().size() <= max_frame_) return {};
  mode_ = Mode::kSkipFrame;
  begin_ = end_;
  scanned_ = 0;
  Empty();
  return Frame{Frame::Kind::kOversize, {}};
}

size_t FrameReader::Finish() {
  const bool skipping = mode_ == Mode::kSkipFrame || mode_ == Mode::kSkipLine;
  if (!skipping && search_ == 0) SkipSpaces();
  const size_t left = skipping ? 0 : end_ - begin_;
  Reset();
  return left;
}

void FrameReader::Reset() {
  begin_ = end_;
  search_ = scanned_ = 0;
  scanner_.Reset();
  mode_ = Mode::kLine;
  Empty();
}

std::string_view FrameReader::Pending() const {
  return {buffer_.get() + begin_, end_ - begin_};
}

void FrameReader::SkipSpaces() {
  while (begin_ < end_ && IsJsonSpace(buffer_[begin_])) ++begin_;
}

void FrameReader::SkipLine() {
  const size_t newline = Pending().find('\n');
  if (newline == std::string_view::npos) {
    begin_ = end_;
    Empty();
    return;
  }
  Drop(newline + 1);
}

void FrameReader::SkipFrame() {
  size_t seen = 0;
  switch (scanner_.Scan(Pending(), seen)) {
    case JsonScanner::Status::kComplete:
      Drop(seen);
      return;
    case JsonScanner::Status::kMalformed:
      begin_ += seen - 1;  // the wrong byte may be the newline
      mode_ = Mode::kSkipLine;
      return;
    case JsonScanner::Status::kMore:
      begin_ = end_;
      Empty();
      return;
  }
}

// A new frame begins after `bytes`.
void FrameReader::Drop(size_t bytes) {
  begin_ += bytes;
  search_ = scanned_ = 0;
  scanner_.Reset();
  mode_ = Mode::kLine;
}

void FrameReader::Empty() {
  begin_ = end_ = 0;
  if (capacity_ > kKeptBuffer) {
    buffer_ = std::make_unique_for_overwrite<char[]>(kSmallBuffer);
    capacity_ = kSmallBuffer;
  }
}

Frame FrameReader::Take(size_t bytes) {
  Frame frame{Frame::Kind::kWhole, Pending().substr(0, bytes)};
  Drop(bytes);
  if (bytes > max_frame_) return {Frame::Kind::kOversize, {}};
  return frame;
}

Frame FrameReader::Malformed() {
  Drop(0);
  mode_ = Mode::kSkipLine;
  return {Frame::Kind::kMalformed, Pending()};
}

}  // namespace kem
