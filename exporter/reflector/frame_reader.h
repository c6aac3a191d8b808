// Cuts the bytes of a watch into frames. The hot path: every frame of every
// watch goes through here. A frame is a JSON object, not a line (client-go's
// framer.go reads values too), but API servers write one compact object a line,
// so a line that opens with '{' and ends with '}' is taken whole without
// looking inside: a raw newline cannot stand in a JSON string. Two objects on
// one line come out as one frame; who decodes it hands the rest in again
// (FrameInfo::consumed). Used by the reflector; knows nothing of what frames
// say.
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
    kMalformed,  // what follows is no JSON object; skipped to the line's end
    kOversize,   // longer than the limit; skipped to its end, told at once
  };
  Kind kind = Kind::kWhole;
  // Of kWhole only. Readable for kJsonPadding bytes past its end, and valid
  // until the reader's next call.
  std::string_view bytes;
};

// Owned by one thread.
class FrameReader {
 public:
  // client-go's limit (streaming.go); an API server sends no object over 3 MiB.
  static constexpr size_t kMaxFrame = size_t{16} << 20;

  explicit FrameReader(size_t max_frame = kMaxFrame);

  // Takes bytes as they arrived. Call Next until it is empty before the next
  // Append: that is what bounds the buffer to one frame and one piece.
  void Append(std::string_view bytes);

  // The next frame that is complete, if there is one. A frame whose newline has
  // not come is complete as soon as its last brace is the last byte there is.
  std::optional<Frame> Next();

  // The stream is over: how many bytes of an incomplete frame were left. They
  // are forgotten; the reader is as new.
  size_t Finish();

  // Forgets everything but the buffer.
  void Reset();

  // Bytes of memory held, for tests.
  size_t capacity() const { return capacity_; }

 private:
  enum class Mode {
    kLine,      // look for a newline
    kScan,      // this frame has newlines in it: follow its braces
    kSkipLine,  // after something malformed
    kSkipFrame  // inside an oversize frame: follow its braces, keep nothing
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
  size_t begin_ = 0;   // of the frame at hand
  size_t end_ = 0;     // of the data
  size_t search_ = 0;  // no newline in [begin_, begin_ + search_)
  Mode mode_ = Mode::kLine;
  JsonScanner scanner_;
  size_t scanned_ = 0;  // bytes of the frame at hand the scanner has seen
};

}  // namespace kem
