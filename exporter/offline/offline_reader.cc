#include "offline/offline_reader.h"

#include <utility>

namespace kem {
namespace {

// Longer than every key that matters, and than the name of any kind.
constexpr size_t kMaxCaptured = 64;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

OfflineReader::OfflineReader(Take take, size_t max_object)
    : take_(std::move(take)), max_object_(max_object) {}

Result<void> OfflineReader::Append(std::string_view bytes) {
  if (begun_ == 0 && bytes.starts_with(kByteOrderMark)) {
    bytes.remove_prefix(kByteOrderMark.size());
  }
  size_t start = 0;  // of the current object's part in `bytes`
  for (size_t at = 0; at < bytes.size(); ++at) {
    const State before = state_;
    if (!Step(bytes[at])) {
      if (top_.in_string() || item_.in_string()) {
        return Malformed("a line ends inside a string");
      }
      return Malformed(begun_ == 0
                           ? "this is not JSON; make it by kubectl get events "
                             "-A -o json"
                           : "this is not JSON any more");
    }
    if (bytes[at] == '\n') ++line_;
    if (state_ != before) start = at;
    if (complete_) {
      text_.append(bytes.substr(start, at + 1 - start));
      Emit();
    }
  }
  const bool kept = state_ == State::kItem || (state_ == State::kTop && !list_);
  if (kept) text_.append(bytes.substr(start));
  if (text_.size() > max_object_) {
    return Error{ErrorCode::kTooLarge,
                 "line " + std::to_string(begun_) +
                     ": the object that begins there is larger than " +
                     std::to_string(max_object_ >> 20U) + " MiB"};
  }
  return {};
}

bool OfflineReader::Step(char c) {
  switch (state_) {
    case State::kBetween:
      if (IsJsonSpace(c)) return true;
      if (c != '{') return false;
      list_ = false;
      top_.Reset();
      Begin(State::kTop);
      return StepInside(top_, c);
    case State::kItems:
      return IsJsonSpace(c) || StepBetweenItems(c);
    case State::kTop:
      return StepInside(top_, c);
    case State::kItem:
      return StepInside(item_, c);
  }
  return false;
}

// `top_` gets the brackets and commas of a List, and each item as {}.
bool OfflineReader::StepBetweenItems(char c) {
  const bool after_item = top_.previous() == '}';
  if (c == '{') {
    if (top_.Step('{') == JsonScanner::Status::kMalformed) return false;
    top_.Step('}');
    item_.Reset();
    Begin(State::kItem);
    return StepInside(item_, c);
  }
  if (c == ']') {
    state_ = State::kTop;
  } else if (c != ',' || !after_item) {
    return false;
  }
  top_.Step(c);
  return true;
}

void OfflineReader::Begin(State state) {
  state_ = state;
  begun_ = line_;
  frame_ = in_object_ = false;
  key_.clear();
  kind_.clear();
  text_.clear();
}

bool OfflineReader::StepInside(JsonScanner& scanner, char c) {
  const bool in_string = scanner.in_string();
  const size_t depth = scanner.depth();
  const char previous = scanner.previous();
  switch (scanner.Step(c)) {
    case JsonScanner::Status::kMalformed:
      return false;
    case JsonScanner::Status::kComplete:
      complete_ = state_ == State::kItem || !list_;
      if (!complete_) state_ = State::kBetween;
      return true;
    case JsonScanner::Status::kMore:
      break;
  }
  if (in_string) {
    if (captured_ == nullptr) return true;
    if (!scanner.in_string()) {
      captured_ = nullptr;
    } else if (captured_->size() < kMaxCaptured) {
      captured_->push_back(c);
    }
  } else if (scanner.in_string()) {
    OnString(depth, previous);
  } else if (scanner.depth() > depth) {
    OnOpen(c, depth, previous);
  } else if (scanner.depth() == 1) {
    in_object_ = false;
  }
  return true;
}

// A string begins: captures keys, and the kind of the Event.
void OfflineReader::OnString(size_t depth, char previous) {
  if (depth != 1 && (depth != 2 || !in_object_)) return;
  if (previous == '{' || previous == ',') {
    key_.clear();
    captured_ = &key_;
  } else if (previous == ':' && key_ == "kind" && frame_ == in_object_) {
    kind_.clear();
    captured_ = &kind_;
  }
}

// An object or array begins that is the value of a key.
void OfflineReader::OnOpen(char c, size_t depth, char previous) {
  if (depth != 1 || previous != ':') return;
  if (c == '[' && key_ == "items" && state_ == State::kTop) {
    list_ = true;
    state_ = State::kItems;
    text_.clear();
  } else if (c == '{' && key_ == "object") {
    frame_ = in_object_ = true;
    kind_.clear();
  }
}

void OfflineReader::Emit() {
  complete_ = false;
  const bool listed = state_ == State::kItem;
  const size_t size = text_.size();
  text_.append(kJsonPadding, ' ');
  take_({std::string_view(text_).substr(0, size), frame_, listed, kind_});
  text_.clear();
  state_ = listed ? State::kItems : State::kBetween;
}

Result<void> OfflineReader::Finish() const {
  if (state_ == State::kBetween) return {};
  return Malformed("the input ends inside " +
                   std::string(list_ ? "a List" : "an object") +
                   "; it was cut, and what was whole is counted");
}

Error OfflineReader::Malformed(const std::string& why) const {
  return Error{ErrorCode::kMalformed,
               "line " + std::to_string(line_) + ": " + why};
}

}  // namespace kem
