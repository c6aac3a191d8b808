// Cuts what kubectl prints into Event objects: a List (kubectl get -o json),
// watch frames (--watch --output-watch-events -o json) or bare objects (--watch
// -o json), pretty-printed or compact, one after the other and mixed. Holds one
// object at a time, so that a dump may be of any size. Used by offline.h;
// judges structure only, what an Event says is the decoder's business.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kem {

// Not thread-safe.
class OfflineReader {
 public:
  struct Object {
    // Readable for kJsonPadding bytes past its end; valid during the call.
    std::string_view json;
    // {"type": ..., "object": ...}, not the Event itself.
    bool frame = false;
    // An element of a List's items, which may come without a kind.
    bool listed = false;
    // Of the Event, or what it is instead; empty when it says none.
    std::string_view kind;
  };
  using Take = std::function<void(const Object&)>;

  // Objects are handed to `take` as soon as they are whole. One that is larger
  // than `max_object` ends the reading.
  explicit OfflineReader(Take take, size_t max_object = size_t{16} << 20);

  // An error (kMalformed, kTooLarge) names the line; nothing can be read after
  // it.
  Result<void> Append(std::string_view bytes);

  // The input is over: an error (kMalformed, naming the line) when it was cut
  // inside an object or a List, whose whole objects were handed over all the
  // same.
  Result<void> Finish() const;

  // After an object or a List, and not yet inside the next one.
  bool Between() const { return begun_ != 0 && place_ == Place::kBetween; }

 private:
  enum class Place {
    kBetween,  // before, between and after objects
    kTop,      // inside an object that may turn out to be a List
    kItems,    // between the items of a List
    kItem,     // inside one of them
  };

  size_t ReadString(std::string_view bytes, size_t at);
  bool Structure(char c);
  bool Inside(char c);
  bool Opens(char c);
  bool Closes(char c);
  void Begin(Place place);
  void Emit();
  bool TracksKeys() const { return depth_ == 1 || (depth_ == 2 && in_object_); }
  Error Malformed(const std::string& why) const;

  const Take take_;
  const size_t max_object_;
  Place place_ = Place::kBetween;
  size_t line_ = 1;
  size_t begun_ = 0;  // the line that the object at hand begins in; 0 at first
  bool list_ = false;
  std::string text_;  // of the object at hand, but for what Append has left
  bool complete_ = false;
  // Within the object at hand.
  size_t depth_ = 0;
  char previous_ = 0;  // the last byte that was neither space nor in a string
  bool in_string_ = false;
  bool escaped_ = false;
  bool frame_ = false;
  bool in_object_ = false;  // of a frame
  std::string key_;
  std::string kind_;
  std::string* captured_ = nullptr;  // where the string at hand goes
};

}  // namespace kem
