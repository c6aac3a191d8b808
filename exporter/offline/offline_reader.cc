#include "offline/offline_reader.h"

#include <utility>

#include "apiserver/api_status.h"

namespace kem {
namespace {

// Longer than every key that matters, and than the name of any kind.
constexpr size_t kMaxCaptured = 64;
// How much of what is not JSON is read for the error.
constexpr size_t kMaxForeign = 200;
constexpr std::string_view kListSuffix = "List";

// "Node" of "NodeList"; empty for a List of any kinds.
std::string_view ItemKind(std::string_view list_kind) {
  if (!list_kind.ends_with(kListSuffix)) return {};
  return list_kind.substr(0, list_kind.size() - kListSuffix.size());
}

bool BeginsScalar(char c) {
  return c == '"' || c == '-' || (c >= '0' && c <= '9') || c == 't' ||
         c == 'f' || c == 'n';
}

}  // namespace

OfflineReader::OfflineReader(Take take, size_t max_object)
    : take_(std::move(take)), max_object_(max_object) {}

Result<void> OfflineReader::Append(std::string_view bytes) {
  return Read(input_.Decode(bytes));
}

Result<void> OfflineReader::Read(std::string_view text) {
  if (state_ == State::kForeign) return ReadForeign(text);
  size_t start = 0;  // of the current object's part in `text`
  for (size_t at = 0; at < text.size(); ++at) {
    const State before = state_;
    const char c = text[at];
    if (!Step(c)) {
      if (top_.in_string() || item_.in_string()) {
        return Malformed("a line ends inside a string");
      }
      if (state_ == State::kItems && BeginsScalar(c)) {
        return Malformed("the list has an item that is not an object");
      }
      return Malformed("this is not JSON any more");
    }
    if (state_ == State::kForeign) return ReadForeign(text.substr(at));
    if (c == '\n') ++line_;
    if (state_ != before) start = at;
    if (complete_) {
      text_.append(text.substr(start, at + 1 - start));
      Emit();
    }
  }
  const bool kept = state_ == State::kItem || (state_ == State::kTop && !list_);
  if (kept) text_.append(text.substr(start));
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
      return IsJsonSpace(c) || StepBetween(c);
    case State::kItems:
      return IsJsonSpace(c) || StepBetweenItems(c);
    case State::kTop:
      return StepInside(top_, c);
    case State::kItem:
      return StepInside(item_, c);
    case State::kForeign:
      break;
  }
  return false;
}

bool OfflineReader::StepBetween(char c) {
  if (c != '{' && c != '[') {
    state_ = State::kForeign;
    text_.clear();
    return true;
  }
  list_ = false;
  array_ = c == '[';
  top_.Reset();
  Begin(State::kTop);
  if (!array_) return StepInside(top_, c);
  // The scanner reads objects, so the array becomes the value of one.
  top_.Step('{');
  top_.Step(':');
  top_.Step('[');
  BeginItems();
  return true;
}

// `top_` gets the brackets and commas of a List, and each item as {}.
bool OfflineReader::StepBetweenItems(char c) {
  const bool after_item = top_.previous() == '}';
  if (c == '{') {
    if (top_.Step('{') == JsonScanner::Status::kMalformed) return false;
    top_.Step('}');
    ++items_;
    item_.Reset();
    Begin(State::kItem);
    return StepInside(item_, c);
  }
  if (c == ']') {
    top_.Step(c);
    EndItems();
    return true;
  }
  if (c != ',' || !after_item) return false;
  top_.Step(c);
  return true;
}

void OfflineReader::Begin(State state) {
  state_ = state;
  begun_ = line_;
  frame_ = in_object_ = reference_ = false;
  key_.clear();
  kind_.clear();
  text_.clear();
}

void OfflineReader::BeginItems() {
  state_ = State::kItems;
  list_ = true;
  items_ = 0;
  list_kind_ = kind_;
  text_.clear();
}

void OfflineReader::EndItems() {
  state_ = State::kTop;
  frame_ = in_object_ = false;
  kind_ = list_kind_;
  if (array_) EndList();
}

void OfflineReader::EndList() {
  state_ = State::kBetween;
  const bool events = kind_.empty() || kind_ == "List" || kind_ == "EventList";
  if (events && items_ == 0) ++empty_lists_;
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
      if (!complete_) EndList();
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
  if (previous != ':') return;
  if (c == '{' && depth == (frame_ ? 2U : 1U) && frame_ == in_object_ &&
      (key_ == "involvedObject" || key_ == "regarding")) {
    reference_ = true;
  }
  if (depth != 1) return;
  if (c == '[' && key_ == "items" && state_ == State::kTop && !list_) {
    BeginItems();
  } else if (c == '{' && key_ == "object") {
    frame_ = in_object_ = true;
    reference_ = false;
    kind_.clear();
  }
}

void OfflineReader::Emit() {
  complete_ = false;
  const bool listed = state_ == State::kItem;
  const size_t size = text_.size();
  text_.append(kJsonPadding, ' ');
  const std::string_view kind = kind_.empty() && listed && !frame_
                                    ? ItemKind(list_kind_)
                                    : std::string_view(kind_);
  take_({std::string_view(text_).substr(0, size), frame_, listed, kind,
         reference_});
  text_.clear();
  state_ = listed ? State::kItems : State::kBetween;
}

// Until the line's end, so that the error does not depend on the pieces.
Result<void> OfflineReader::ReadForeign(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text_ += line.substr(0, kMaxForeign - text_.size());
  if (line.size() == text.size() && text_.size() < kMaxForeign) return {};
  return Foreign();
}

Error OfflineReader::Foreign() const {
  if (begun_ != 0) {
    return Malformed("this is not JSON any more, but " + WhatCame(text_));
  }
  return Malformed("this is no JSON object or list, but " + WhatCame(text_) +
                   "; use the output of kubectl get events -A -o json");
}

Result<void> OfflineReader::Finish() {
  Result<void> read = Read(input_.Finish());
  if (!read) return read;
  if (state_ == State::kBetween) return {};
  if (state_ == State::kForeign) return Foreign();
  return Malformed("the input ends inside " +
                   std::string(list_ ? "a List" : "an object") +
                   "; it was cut, and what was whole is counted");
}

Error OfflineReader::Malformed(const std::string& why) const {
  return Error{ErrorCode::kMalformed,
               "line " + std::to_string(line_) + ": " + why};
}

}  // namespace kem
