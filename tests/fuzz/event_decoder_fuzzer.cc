// EventDecoder survives any text, reads no further than the padding and does
// not depend on its content. It decodes well-formed JSON like a slow decoder
// written for comparison (with nlohmann's DOM).
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/rfc3339.h"
#include "events/event_decoder.h"
#include "fuzz/fuzzing.h"

namespace kem {
namespace {

using Json = nlohmann::json;

// Deeper JSON is not compared: simdjson rejects it at 1024.
constexpr int kMaxDepth = 500;

// A frame or item as the comparison decoder sees it.
struct Reference {
  std::string name, event_namespace, uid, version, created;
  std::string api_version, kind, object_namespace, object_name;
  std::string reason, message, type, controller, component;
  std::string first_seen, last_seen, event_time, last_observed;
  std::optional<int64_t> count, series_count;
  bool has_series = false;
  int64_t code = 0;
  std::optional<int64_t> retry_after;
};

std::string Text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::optional<int64_t> Integer(const Json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() &&
      value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
    return std::nullopt;
  }
  return value.get<int64_t>();
}

// Assigns the member `key` of `object`, if there is one.
void Take(const Json& object, const char* key, std::string& into) {
  if (!object.is_object()) return;
  const auto found = object.find(key);
  if (found != object.end()) into = Text(*found);
}

void Take(const Json& object, const char* key, std::optional<int64_t>& into) {
  if (!object.is_object()) return;
  const auto found = object.find(key);
  if (found != object.end()) into = Integer(*found);
}

Json Child(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found == object.end() ? Json() : *found;
}

// When an object has both spellings of a field, the last one wins, which in a
// dump is the last in the alphabet.
Reference Read(const Json& object) {
  Reference r;
  const Json metadata = Child(object, "metadata");
  Take(metadata, "name", r.name);
  Take(metadata, "namespace", r.event_namespace);
  Take(metadata, "uid", r.uid);
  Take(metadata, "resourceVersion", r.version);
  Take(metadata, "creationTimestamp", r.created);
  for (const char* key : {"involvedObject", "regarding"}) {
    const Json about = Child(object, key);
    Take(about, "apiVersion", r.api_version);
    Take(about, "kind", r.kind);
    Take(about, "namespace", r.object_namespace);
    Take(about, "name", r.object_name);
  }
  Take(object, "reason", r.reason);
  Take(object, "message", r.message);
  Take(object, "note", r.message);
  Take(object, "type", r.type);
  Take(object, "reportingComponent", r.controller);
  Take(object, "reportingController", r.controller);
  Take(Child(object, "deprecatedSource"), "component", r.component);
  Take(Child(object, "source"), "component", r.component);
  Take(object, "deprecatedFirstTimestamp", r.first_seen);
  Take(object, "firstTimestamp", r.first_seen);
  Take(object, "deprecatedLastTimestamp", r.last_seen);
  Take(object, "lastTimestamp", r.last_seen);
  Take(object, "eventTime", r.event_time);
  Take(object, "count", r.count);
  Take(object, "deprecatedCount", r.count);
  const Json series = Child(object, "series");
  r.has_series = series.is_object();
  Take(series, "count", r.series_count);
  Take(series, "lastObservedTime", r.last_observed);
  r.code = Integer(Child(object, "code")).value_or(0);
  Take(Child(object, "details"), "retryAfterSeconds", r.retry_after);
  return r;
}

// 0 unless it is a positive number in the API server's form: not "050".
uint64_t Version(const std::string& text) {
  if (text.starts_with('0')) return 0;
  uint64_t version = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, version);
  return error == std::errc() && stop == end ? version : 0;
}

bool IsEvent(const Reference& r) {
  return !r.name.empty() && Version(r.version) != 0;
}

void RequireEvent(const Reference& r, const Event& event) {
  const auto time = [](const std::string& text) {
    return ParseRfc3339(text).value_or(WallTime{});
  };
  Require(event.name == r.name && event.event_namespace == r.event_namespace &&
              event.uid == r.uid &&
              event.resource_version == Version(r.version),
          "metadata");
  Require(event.api_version == r.api_version && event.kind == r.kind &&
              event.object_namespace == r.object_namespace &&
              event.object_name == r.object_name,
          "the object's reference");
  Require(event.reason == r.reason && event.type == r.type, "reason and type");
  const std::string source = r.component == kMirrorComponent ? "" : r.component;
  Require(event.reporting_component ==
              (r.controller.empty() ? source : r.controller),
          "the component");
  const int64_t count = (r.has_series ? r.series_count : r.count).value_or(1);
  Require(event.count == std::clamp<int64_t>(count, 1, INT32_MAX), "the count");
  Require(event.message == r.message, "the message");
  Require(
      event.combined == r.message.starts_with("(combined from similar events)"),
      "the combined Event");
  Require(
      event.occurred_at == std::max({time(r.created), time(r.event_time),
                                     time(r.last_seen), time(r.last_observed)}),
      "the time of the occurrence");
  WallTime identity = time(r.created);
  if (time(r.event_time) != WallTime{}) identity = time(r.event_time);
  if (ParseRfc3339(r.first_seen)) identity = time(r.first_seen);
  Require(event.first_seen == identity, "the time of identity");
}

void TouchAll(const Event& event) {
  for (const std::string_view text :
       {event.event_namespace, event.name, event.uid, event.api_version,
        event.kind, event.object_namespace, event.object_name, event.reason,
        event.type, event.reporting_component, event.message}) {
    Touch(text);
  }
}

std::string Summary(const FrameInfo& info, const Event& event) {
  std::string text = std::to_string(static_cast<int>(info.type)) + " " +
                     std::to_string(info.resource_version) + " " +
                     std::to_string(info.consumed) + " " +
                     std::to_string(info.status_code) + " " +
                     info.status_reason + " " + info.status_message;
  if (info.type > FrameType::kDeleted) return text;
  TouchAll(event);
  for (const std::string_view part :
       {event.event_namespace, event.name, event.kind, event.object_name,
        event.reason, event.type, event.reporting_component, event.message}) {
    text.append(" ").append(part);
  }
  return text + " " + std::to_string(event.count);
}

// Any bytes: several frames on a line, torn frames, not JSON.
void CheckText(EventDecoder& decoder, std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const PaddedText padded(text.substr(at), std::string_view("\0", 1));
    const PaddedText hostile(text.substr(at), "\"}],:1e");
    Event event;
    const FrameInfo info = decoder.DecodeFrame(padded.text(), event);
    const std::string summary = Summary(info, event);
    Event other;
    const FrameInfo other_info = decoder.DecodeFrame(hostile.text(), other);
    Require(summary == Summary(other_info, other),
            "what stands in the padding does not matter");
    Require(info.consumed <= padded.text().size(), "no more is used than was");
    if (info.type == FrameType::kMalformed) break;
    Require(info.consumed > 0, "a frame takes bytes");
    at += info.consumed;
  }
  const PaddedText item(text, "\"}],:1e");
  Event event;
  if (decoder.DecodeItem(item.text(), event)) TouchAll(event);
}

void CheckFrame(EventDecoder& decoder, const Json& document,
                const std::string& text) {
  const PaddedText padded(text, "}");
  Event event;
  const FrameInfo info = decoder.DecodeFrame(padded.text(), event);
  const std::string type = Text(Child(document, "type"));
  if (type.empty() || document.find("object") == document.end()) {
    Require(info.type == FrameType::kMalformed, "not a watch event");
    return;
  }
  const Reference r = Read(Child(document, "object"));
  Require(info.consumed == text.size(), "one document is one frame");
  if (type == "ADDED" || type == "MODIFIED" || type == "DELETED") {
    Require((info.type != FrameType::kMalformed) == IsEvent(r), "an Event");
    if (IsEvent(r)) RequireEvent(r, event);
  } else if (type == "BOOKMARK") {
    Require(info.resource_version == Version(r.version), "a bookmark");
  } else if (type == "ERROR") {
    Require(info.type == FrameType::kError &&
                info.status_code == std::clamp<int64_t>(r.code, 0, 999) &&
                info.status_reason == r.reason,
            "an error");
    Require(r.message.starts_with(info.status_message), "its message");
    Require(info.retry_after.has_value() == (r.retry_after.value_or(0) > 0),
            "when to retry");
  } else {
    Require(info.type == FrameType::kUnknown, "an unknown type");
  }
}

void CheckDocument(EventDecoder& decoder, std::string_view text) {
  int depth = 0;
  const auto watch_depth = [&](int at, Json::parse_event_t, const Json&) {
    depth = std::max(depth, at);
    return true;
  };
  const Json document =
      Json::parse(text, watch_depth, /*allow_exceptions=*/false);
  if (!document.is_object() || depth > kMaxDepth) return;
  // The dump has no repeated keys and no escapes in keys, which decoders treat
  // differently.
  for (const bool ascii : {false, true}) {
    const std::string clean = document.dump(-1, ' ', ascii);
    CheckFrame(decoder, document, clean);
    const PaddedText padded(clean, "}");
    Event event;
    const bool is_event = decoder.DecodeItem(padded.text(), event);
    const Reference r = Read(document);
    Require(is_event == IsEvent(r), "a list item");
    if (is_event) RequireEvent(r, event);
  }
}

}  // namespace
}  // namespace kem

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  kem::EventDecoder decoder;
  kem::CheckText(decoder, text);
  kem::CheckDocument(decoder, text);
  return 0;
}
