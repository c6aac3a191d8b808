// One watch: passes its frames to the handler and records what they show about
// the stream. Made by the reflector for each watch. Ends the stream at the
// first frame after which the rest is useless; the reflector decides what to do
// next.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "reflector/frame_reader.h"
#include "reflector/lister_watcher.h"
#include "reflector/object_handler.h"
#include "reflector/session_stats.h"

namespace kem {

// Owned by the reflector's thread.
class WatchSession : public WatchHandler {
 public:
  // All must outlive this. `reader` must be reset. `on_open` is called when the
  // API server accepts the watch.
  WatchSession(std::function<void()> on_open, FrameReader& reader,
               ObjectHandler& handler, SessionStats& stats)
      : on_open_(std::move(on_open)),
        reader_(reader),
        handler_(handler),
        stats_(stats) {}

  void OnOpen() override {
    opened_ = true;
    on_open_();
  }
  bool OnBytes(std::string_view bytes) override;

  // Ends the stream. Returns whether it was cut inside a frame, which then
  // counts as dropped.
  bool Finish();

  bool opened() const { return opened_; }
  // Bookmarks included.
  bool had_frames() const { return had_frames_; }
  // Why the session ended the stream; empty if it did not.
  std::optional<WatchEnd> verdict() const { return verdict_; }
  // The ERROR event, if that is why.
  const FrameInfo& error_frame() const { return error_frame_; }

 private:
  void Apply(std::string_view bytes);
  void Judge(const FrameInfo& info);
  void End(WatchEnd verdict) { verdict_ = verdict; }
  void FlushCounts();

  const std::function<void()> on_open_;
  FrameReader& reader_;
  ObjectHandler& handler_;
  SessionStats& stats_;

  bool opened_ = false;
  bool had_frames_ = false;
  std::optional<WatchEnd> verdict_;
  FrameInfo error_frame_;
  std::array<uint64_t, kFrameTypeNames.size()> counts_{};
};

}  // namespace kem
