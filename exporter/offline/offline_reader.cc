#include "offline/offline_reader.h"

#include <algorithm>
#include <utility>

#include "reflector/object_handler.h"

namespace kem {
namespace {

// Longer than every key that matters, and than the name of any kind.
constexpr size_t kMaxCaptured = 64;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

bool IsScalar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' ||
         c == '+' || c == '.' || c == 'E';
}

// After these a value may begin.
bool IsBeforeValue(char c) { return c == ':' || c == ',' || c == '['; }

}  // namespace

OfflineReader::OfflineReader(Take take, size_t max_object)
    : take_(std::move(take)), max_object_(max_object) {}

Result<void> OfflineReader::Append(std::string_view bytes) {
  if (begun_ == 0 && bytes.starts_with(kByteOrderMark)) {
    bytes.remove_prefix(kByteOrderMark.size());
  }
  // What of the object at hand is not in text_ yet begins here.
  size_t mark = 0;
  for (size_t at = 0; at < bytes.size();) {
    if (in_string_) {
      at = ReadString(bytes, at);
      if (at == std::string_view::npos) {
        return Malformed("a line ends inside a string");
      }
      continue;
    }
    const char c = bytes[at];
    if (c == '\n') ++line_;
    ++at;
    if (IsSpace(c)) continue;
    const Place before = place_;
    if (!Structure(c)) {
      return Malformed(begun_ == 0
                           ? "this is not JSON; make it by kubectl get events "
                             "-A -o json"
                           : "this is not JSON any more");
    }
    if (place_ != before) mark = at - 1;
    if (complete_) {
      text_.append(bytes.substr(mark, at - mark));
      Emit();
    }
  }
  const bool kept = place_ == Place::kItem || (place_ == Place::kTop && !list_);
  if (kept) text_.append(bytes.substr(mark));
  if (text_.size() > max_object_) {
    return Error{ErrorCode::kTooLarge,
                 "line " + std::to_string(begun_) +
                     ": the object that begins there is larger than " +
                     std::to_string(max_object_ >> 20U) + " MiB"};
  }
  return {};
}

// Moves past the string's next part; npos for what no string may hold.
size_t OfflineReader::ReadString(std::string_view bytes, size_t at) {
  size_t end = at;
  for (; end < bytes.size(); ++end) {
    const char c = bytes[end];
    if (static_cast<unsigned char>(c) < ' ') return std::string_view::npos;
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
      break;
    }
  }
  if (captured_ != nullptr) {
    const size_t room =
        kMaxCaptured - std::min(kMaxCaptured, captured_->size());
    captured_->append(bytes.substr(at, std::min(room, end - at)));
    if (!in_string_) captured_ = nullptr;
  }
  return in_string_ ? end : end + 1;
}

bool OfflineReader::Structure(char c) {
  switch (place_) {
    case Place::kBetween:
      if (c != '{') return false;
      list_ = false;
      Begin(Place::kTop);
      return true;
    case Place::kItems:
      if (c == '{' && previous_ != '}') {
        Begin(Place::kItem);
        return true;
      }
      if (c == ']') {
        place_ = Place::kTop;
        depth_ = 1;
      } else if (c != ',' || previous_ != '}') {
        return false;
      }
      previous_ = c;
      return true;
    case Place::kTop:
    case Place::kItem:
      return Inside(c);
  }
  return false;
}

void OfflineReader::Begin(Place place) {
  place_ = place;
  begun_ = line_;
  depth_ = 1;
  previous_ = '{';
  frame_ = in_object_ = false;
  key_.clear();
  kind_.clear();
  text_.clear();
}

// One byte of an object, outside of strings. That two values never stand side
// by side is what tells a torn object.
bool OfflineReader::Inside(char c) {
  bool good = true;
  switch (c) {
    case '{':
    case '[':
      return Opens(c);
    case '}':
    case ']':
      return Closes(c);
    case '"':
      good = IsBeforeValue(previous_) || previous_ == '{';
      in_string_ = true;
      if (TracksKeys() && (previous_ == '{' || previous_ == ',')) {
        key_.clear();
        captured_ = &key_;
      } else if (TracksKeys() && previous_ == ':' && key_ == "kind" &&
                 frame_ == in_object_) {
        kind_.clear();
        captured_ = &kind_;
      }
      break;
    case ':':
    case ',':
      break;
    default:
      good = IsScalar(c);
  }
  previous_ = c;
  return good;
}

bool OfflineReader::Opens(char c) {
  if (!IsBeforeValue(previous_)) return false;
  const bool named = depth_ == 1 && previous_ == ':';
  previous_ = c;
  if (named && c == '[' && key_ == "items" && place_ == Place::kTop) {
    list_ = true;
    place_ = Place::kItems;
    text_.clear();
    return true;
  }
  if (named && c == '{' && key_ == "object") {
    frame_ = in_object_ = true;
    kind_.clear();
  }
  ++depth_;
  return true;
}

bool OfflineReader::Closes(char c) {
  // Further in it is the decoder's to tell the two apart.
  if (depth_ == 1 && c != '}') return false;
  previous_ = '}';
  --depth_;
  if (depth_ == 1) in_object_ = false;
  if (depth_ > 0) return true;
  complete_ = place_ == Place::kItem || !list_;
  if (!complete_) place_ = Place::kBetween;
  return true;
}

void OfflineReader::Emit() {
  complete_ = false;
  const bool listed = place_ == Place::kItem;
  const size_t size = text_.size();
  text_.append(kJsonPadding, ' ');
  take_({std::string_view(text_).substr(0, size), frame_, listed, kind_});
  text_.clear();
  place_ = listed ? Place::kItems : Place::kBetween;
}

Result<void> OfflineReader::Finish() const {
  if (place_ == Place::kBetween) return {};
  return Malformed("the input ends inside " +
                   std::string(list_ ? "a List" : "an object") +
                   "; it was cut, and what was whole is counted");
}

Error OfflineReader::Malformed(const std::string& why) const {
  return Error{ErrorCode::kMalformed,
               "line " + std::to_string(line_) + ": " + why};
}

}  // namespace kem
