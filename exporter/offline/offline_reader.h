// Splits what kubectl prints into Event objects: a List (kubectl get -o json, a
// raw or dumped list), a JSON array, watch events (--watch
// --output-watch-events -o json) or bare objects (--watch -o json),
// pretty-printed or compact, in UTF-8 or UTF-16, in any sequence. Used by
// offline.h. Holds one object at a time, so that a dump may be of any size.
// Judges structure only; EventDecoder reads the Events.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/json_padding.h"
#include "base/result.h"
#include "offline/input_text.h"
#include "reflector/json_scanner.h"

namespace kem {

// Not thread-safe.
class OfflineReader {
 public:
  struct Object {
    // Readable for kJsonPadding bytes past its end; valid during the call.
    std::string_view json;
    // {"type": ..., "object": ...}, not the Event itself.
    bool frame = false;
    // An item of a List or array.
    bool listed = false;
    // Of the Event or of what is in its place; empty when unknown. An item of a
    // typed list has no kind of its own: it is a Node in a NodeList.
    std::string_view kind;
    // It has involvedObject or regarding, as every Event.
    bool reference = false;

    bool IsEvent() const {
      return kind == "Event" || (kind.empty() && reference);
    }
  };
  using Take = std::function<void(const Object&)>;

  // Calls `take` for each object as soon as it is complete. An object larger
  // than `max_object` bytes ends the reading.
  explicit OfflineReader(Take take, size_t max_object = size_t{16} << 20);

  // An error (kMalformed, kTooLarge) names the line and, where the input is not
  // JSON, quotes it; nothing can be read after it.
  Result<void> Append(std::string_view bytes);

  // Ends the input. An error (kMalformed, names the line) when it ends inside
  // an object or a List; the complete objects were delivered to `take`.
  Result<void> Finish();

  // After an object or a List, and not inside the next one.
  bool Between() const { return begun_ != 0 && state_ == State::kBetween; }
  // No object and no List began.
  bool empty() const { return begun_ == 0; }
  // Complete Lists that could hold Events, but have no item.
  size_t empty_lists() const { return empty_lists_; }

 private:
  enum class State {
    kBetween,  // before, between and after objects
    kTop,      // inside an object that may turn out to be a List
    kItems,    // between the items of a List
    kItem,     // inside an item
    kForeign,  // at what is not JSON, of which `text_` is the beginning
  };

  Result<void> Read(std::string_view text);
  bool Step(char c);
  bool StepBetween(char c);
  bool StepBetweenItems(char c);
  bool StepInside(JsonScanner& scanner, char c);
  void OnOpen(char c, size_t depth, char previous);
  void OnString(size_t depth, char previous);
  void Begin(State state);
  void BeginItems();
  void EndItems();
  void EndList();
  void Emit();
  Result<void> ReadForeign(std::string_view text);
  Error Foreign() const;
  Error Malformed(const std::string& why) const;

  const Take take_;
  const size_t max_object_;
  InputText input_;
  State state_ = State::kBetween;
  JsonScanner top_;   // of the outermost object
  JsonScanner item_;  // of an item of a List
  size_t line_ = 1;
  size_t begun_ = 0;  // the line where the current object begins; 0 at first
  std::string text_;  // of the current object, without the piece in Append
  bool complete_ = false;
  // Of the current List.
  bool list_ = false;
  bool array_ = false;  // without an object around it
  size_t items_ = 0;
  std::string list_kind_;  // so far
  size_t empty_lists_ = 0;
  // Of the current object.
  bool frame_ = false;
  bool in_object_ = false;  // of a frame
  bool reference_ = false;
  std::string key_;
  std::string kind_;
  std::string* captured_ = nullptr;  // receives the current string
};

}  // namespace kem
