// One watch: passes its frames to the handler and records what they show about
// the stream. Ends the stream at the first frame after which the rest is
// useless. Used by the reflector, which decides what follows.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "reflector/delivery_lag.h"
#include "reflector/frame_reader.h"
#include "reflector/lister_watcher.h"
#include "reflector/object_handler.h"
#include "reflector/session_stats.h"

namespace kem {

// For one watch, on its thread.
class WatchSession : public WatchHandler {
 public:
  // `reader` must be reset. `on_open` is called when the API server accepts the
  // watch.
  WatchSession(std::function<void()> on_open, FrameReader& reader,
               ObjectHandler& handler, DeliveryLag& lag, SessionStats& stats)
      : on_open_(std::move(on_open)),
        reader_(reader),
        handler_(handler),
        lag_(lag),
        stats_(stats) {}

  void OnOpen(std::optional<WallTime> server_time) override {
    opened_ = true;
    if (server_time) handler_.NoteServerTime(*server_time);
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
  // What came instead of a stream of watch events; empty when one came, or when
  // it is a JSON object of another kind.
  const std::string& answer() const { return answer_; }
  // The ERROR event, if that is why.
  const FrameInfo& error_frame() const { return error_frame_; }

 private:
  void Apply(std::string_view bytes);
  void Judge(const FrameInfo& info, std::string_view bytes);
  void Drop(DropReason reason, WatchEnd verdict) {
    stats_.Count(reason);
    verdict_ = verdict;
  }
  void DropMalformed(std::string_view bytes);
  void FlushCounts();

  const std::function<void()> on_open_;
  FrameReader& reader_;
  ObjectHandler& handler_;
  DeliveryLag& lag_;
  SessionStats& stats_;

  bool opened_ = false;
  bool had_frames_ = false;
  std::optional<WatchEnd> verdict_;
  std::string answer_;
  FrameInfo error_frame_;
  std::array<uint64_t, kFrameTypeNames.size()> counts_{};
};

}  // namespace kem
