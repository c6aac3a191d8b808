// Splits the bytes of a watch into frames. On the hot path. A frame is a JSON
// object, not a line (client-go's framer.go reads values too). API servers
// write one compact object a line, so a line from '{' to '}' is a frame without
// a look inside: JSON strings contain no raw newline. Two objects on one line
// are one frame, and the decoder reports where the first ends
// (FrameInfo::consumed). Used by the reflector. Does not decode frames.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "reflector/json_scanner.h"

namespace kem {

struct Frame {
  enum class Kind {
    kWhole,      // one frame, or several on one line
    kMalformed,  // not a JSON object; skipped to the end of the line
    kOversize,   // longer than the limit; reported at once, skipped to its end
  };
  Kind kind = Kind::kWhole;
  // For kWhole, readable for kJsonPadding bytes past its end; for kMalformed
  // what was received of it so far. Valid until the reader's next call.
  std::string_view bytes;
};

// Owned by one thread.
class FrameReader {
 public:
  // client-go's limit (streaming.go); an API server sends no object over 3 MiB.
  static constexpr size_t kMaxFrame = size_t{16} << 20;

  explicit FrameReader(size_t max_frame = kMaxFrame);

  // Adds received bytes. Call Next until it returns nothing before the next
  // Append, which bounds the buffer to one frame and one piece.
  void Append(std::string_view bytes);

  // The next complete frame, if any. A frame without its newline is complete
  // when its last brace is the last byte received.
  std::optional<Frame> Next();

  // Ends the stream: resets, and returns the bytes of an incomplete frame.
  size_t Finish();

  // Discards all data, but keeps the buffer.
  void Reset();

  // The buffer's bytes, for tests.
  size_t capacity() const { return capacity_; }

 private:
  enum class Mode {
    kLine,      // look for a newline
    kScan,      // follow the brackets of a frame with newlines
    kSkipLine,  // after malformed data
    kSkipFrame  // follow the brackets of an oversize frame, keep nothing
  };

  std::string_view Pending() const;
  void SkipSpaces();
  void SkipLine();
  void SkipFrame();
  void Drop(size_t bytes);
  void Empty();
  Frame Take(size_t bytes);
  Frame Malformed();
  std::optional<Frame> NextByLine();
  std::optional<Frame> NextByScan();

  const size_t max_frame_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_;
  size_t begin_ = 0;   // of the current frame
  size_t end_ = 0;     // of the data
  size_t search_ = 0;  // no newline in [begin_, begin_ + search_)
  Mode mode_ = Mode::kLine;
  JsonScanner scanner_;
  size_t scanned_ = 0;  // bytes of the current frame that were scanned
};

}  // namespace kem
