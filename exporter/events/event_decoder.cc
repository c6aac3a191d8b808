#include "events/event_decoder.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>
#include <optional>
#include <string>

#include "apiserver/resource_version.h"
#include "base/json_padding.h"
#include "base/rfc3339.h"
#include "base/utf8.h"
#include "events/lone_surrogates.h"
#include "events/long_strings.h"
#include "reflector/session_stats.h"

namespace kem {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

// The parser needs six bytes of memory for a byte of JSON. An Event can have
// 1.5 MB in etcd, and six times that as JSON, where '<' is escaped.
constexpr size_t kCutAbove = size_t{512} << 10;
constexpr size_t kMaxString = 2048;
constexpr size_t kMaxShortened = size_t{2} << 20;
constexpr size_t kKeepParserBelow = size_t{1} << 20;  // others are freed
constexpr std::string_view kCombinedPrefix = "(combined from similar events)";
constexpr int64_t kMaxCount = std::numeric_limits<int32_t>::max();

// The fields of an Event or a Status as they are written.
struct RawObject {
  // `spare` keeps the texts that neither the JSON nor the parser has.
  explicit RawObject(std::deque<std::string>& spare) : repaired(spare) {}
  // A string's text, copied only when it has escapes. Empty for other types.
  std::string_view Text(ondemand::value value);

  std::deque<std::string>& repaired;
  Event plain;  // texts that need no conversion
  std::string_view resource_version;
  std::string_view created;
  std::string_view controller;
  std::string_view source_component;
  std::string_view first_seen;
  std::string_view last_seen;
  std::string_view event_time;
  std::string_view last_observed;
  std::optional<int64_t> count;
  std::optional<int64_t> series_count;
  bool has_series = false;
  int64_t status_code = 0;
  std::optional<int64_t> retry_after;
};

// Whether the raw key at `key`, just after its quote, is `name`. The padding
// makes it safe to read past the key's end.
template <size_t N>
bool Is(const char* key, const char (&name)[N]) {
  return std::memcmp(key, name, N - 1) == 0 && key[N - 1] == '"';
}

std::string_view RawObject::Text(ondemand::value value) {
  std::string_view token = value.raw_json_token();
  if (token.empty() || token.front() != '"') return {};
  token = token.substr(1, token.rfind('"') - 1);
  if (std::memchr(token.data(), '\\', token.size()) == nullptr) return token;
  std::string_view unescaped;
  if (value.get_string().get(unescaped) == simdjson::SUCCESS) return unescaped;
  return repaired.emplace_back(UnescapeWithLoneSurrogates(token));
}

std::optional<int64_t> Integer(ondemand::value value) {
  int64_t number = 0;
  if (value.get_int64().get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

bool IsObject(ondemand::value value) {
  const std::string_view token = value.raw_json_token();
  return !token.empty() && token.front() == '{';
}

// Calls visit(raw key, value) for each field. Returns the first error.
template <typename Visit>
simdjson::error_code ForEachField(ondemand::object& object, Visit visit) {
  for (auto result : object) {
    ondemand::field field;
    if (auto error = std::move(result).get(field)) return error;
    if (auto error = visit(field.key().raw(), field.value())) return error;
  }
  return simdjson::SUCCESS;
}

// The same for a value, ignored if it is not an object.
template <typename Visit>
simdjson::error_code ForEachField(ondemand::value value, Visit visit) {
  if (!IsObject(value)) return simdjson::SUCCESS;
  ondemand::object object;
  if (auto error = value.get_object().get(object)) return error;
  return ForEachField(object, visit);
}

// The same for a `take` that cannot fail, and whose result is ignored.
template <typename Take>
simdjson::error_code TakeFields(ondemand::value value, Take take) {
  return ForEachField(value, [&](const char* key, ondemand::value& v) {
    take(key, v);
    return simdjson::SUCCESS;
  });
}

// Sets `text`, a part of `raw`, if the key is `name`.
template <size_t N>
bool Take(RawObject& raw, const char* key, const char (&name)[N],
          ondemand::value& value, std::string_view& text) {
  if (!Is(key, name)) return false;
  text = raw.Text(value);
  return true;
}

simdjson::error_code ReadMetadata(ondemand::value value, RawObject& raw) {
  return TakeFields(value, [&](const char* key, ondemand::value& v) {
    return Take(raw, key, "name", v, raw.plain.name) ||
           Take(raw, key, "namespace", v, raw.plain.event_namespace) ||
           Take(raw, key, "uid", v, raw.plain.uid) ||
           Take(raw, key, "resourceVersion", v, raw.resource_version) ||
           Take(raw, key, "creationTimestamp", v, raw.created);
  });
}

simdjson::error_code ReadReference(ondemand::value value, RawObject& raw) {
  return TakeFields(value, [&](const char* key, ondemand::value& v) {
    Event& event = raw.plain;
    return Take(raw, key, "kind", v, event.kind) ||
           Take(raw, key, "namespace", v, event.object_namespace) ||
           Take(raw, key, "name", v, event.object_name) ||
           Take(raw, key, "apiVersion", v, event.api_version) ||
           Take(raw, key, "uid", v, event.object_uid) ||
           Take(raw, key, "resourceVersion", v, event.object_version) ||
           Take(raw, key, "fieldPath", v, event.field_path);
  });
}

simdjson::error_code ReadSeries(ondemand::value value, RawObject& raw) {
  raw.has_series = IsObject(value);
  return TakeFields(value, [&](const char* key, ondemand::value& v) {
    if (Is(key, "count")) raw.series_count = Integer(v);
    return Take(raw, key, "lastObservedTime", v, raw.last_observed);
  });
}

simdjson::error_code ReadSource(ondemand::value value, RawObject& raw) {
  return TakeFields(value, [&](const char* key, ondemand::value& v) {
    return Take(raw, key, "component", v, raw.source_component) ||
           Take(raw, key, "host", v, raw.plain.host);
  });
}

simdjson::error_code ReadDetails(ondemand::value value, RawObject& raw) {
  return TakeFields(value, [&](const char* key, ondemand::value& v) {
    if (Is(key, "retryAfterSeconds")) raw.retry_after = Integer(v);
  });
}

// events.k8s.io/v1 keeps core/v1's fields under names with this prefix
// (k8s.io/kubernetes pkg/apis/events/v1/conversion.go).
simdjson::error_code ReadDeprecated(const char* key, ondemand::value& value,
                                    RawObject& raw) {
  if (Is(key, "deprecatedCount")) {
    raw.count = Integer(value);
  } else if (Is(key, "deprecatedFirstTimestamp")) {
    raw.first_seen = raw.Text(value);
  } else if (Is(key, "deprecatedLastTimestamp")) {
    raw.last_seen = raw.Text(value);
  } else if (Is(key, "deprecatedSource")) {
    return ReadSource(value, raw);
  }
  return simdjson::SUCCESS;
}

// A field of an Event, in either API's spelling, or of a Status. Their names do
// not collide.
simdjson::error_code ReadField(const char* key, ondemand::value& value,
                               RawObject& raw) {
  switch (key[0]) {
    case 'a':
      if (Is(key, "action")) raw.plain.action = raw.Text(value);
      break;
    case 'c':
      if (Is(key, "count")) raw.count = Integer(value);
      if (Is(key, "code")) raw.status_code = Integer(value).value_or(0);
      break;
    case 'd':
      if (Is(key, "details")) return ReadDetails(value, raw);
      return ReadDeprecated(key, value, raw);
    case 'e':
      if (Is(key, "eventTime")) raw.event_time = raw.Text(value);
      break;
    case 'f':
      if (Is(key, "firstTimestamp")) raw.first_seen = raw.Text(value);
      break;
    case 'i':
      if (Is(key, "involvedObject")) return ReadReference(value, raw);
      break;
    case 'l':
      if (Is(key, "lastTimestamp")) raw.last_seen = raw.Text(value);
      break;
    case 'm':
      if (Is(key, "metadata")) return ReadMetadata(value, raw);
      if (Is(key, "message")) raw.plain.message = raw.Text(value);
      break;
    case 'n':
      if (Is(key, "note")) raw.plain.message = raw.Text(value);
      break;
    case 'r':
      if (Is(key, "reason")) raw.plain.reason = raw.Text(value);
      if (Is(key, "regarding")) return ReadReference(value, raw);
      if (Is(key, "reportingComponent") || Is(key, "reportingController")) {
        raw.controller = raw.Text(value);
      }
      break;
    case 's':
      if (Is(key, "series")) return ReadSeries(value, raw);
      if (Is(key, "source")) return ReadSource(value, raw);
      break;
    case 't':
      if (Is(key, "type")) raw.plain.type = raw.Text(value);
      break;
    default:
      break;
  }
  return simdjson::SUCCESS;
}

auto FieldReader(RawObject& raw) {
  return [&raw](const char* key, ondemand::value& value) {
    return ReadField(key, value, raw);
  };
}

std::string_view Component(const RawObject& raw) {
  if (!raw.controller.empty()) return raw.controller;
  if (raw.source_component == kMirrorComponent) return {};
  return raw.source_component;
}

bool Finish(const RawObject& raw, Event& event) {
  event = raw.plain;
  event.resource_version =
      ParseResourceVersion(raw.resource_version).value_or(0);
  if (raw.plain.name.empty() || event.resource_version == 0) return false;
  event.reporting_component = Component(raw);
  const int64_t count =
      raw.has_series ? raw.series_count.value_or(1) : raw.count.value_or(1);
  event.count = static_cast<uint32_t>(std::clamp<int64_t>(count, 1, kMaxCount));
  event.combined = raw.plain.message.starts_with(kCombinedPrefix);

  const WallTime never{};
  const WallTime created = ParseRfc3339(raw.created).value_or(never);
  event.created = created;
  const WallTime event_time = ParseRfc3339(raw.event_time).value_or(never);
  const std::optional<WallTime> first = ParseRfc3339(raw.first_seen);
  const WallTime last = raw.last_seen == raw.first_seen
                            ? first.value_or(never)
                            : ParseRfc3339(raw.last_seen).value_or(never);
  event.first_seen =
      first ? *first : (event_time != never ? event_time : created);
  event.occurred_at =
      std::max({created, event_time, last,
                ParseRfc3339(raw.last_observed).value_or(never)});
  return true;
}

// The last name is kUnknown's.
FrameType ToFrameType(std::string_view type) {
  const auto name =
      std::find(kFrameTypeNames.begin(), kFrameTypeNames.end() - 1, type);
  return static_cast<FrameType>(name - kFrameTypeNames.begin());
}

void FinishFrame(const RawObject& raw, Event& event, FrameInfo& info) {
  switch (info.type) {
    case FrameType::kAdded:
    case FrameType::kModified:
    case FrameType::kDeleted:
      if (!Finish(raw, event)) info.type = FrameType::kMalformed;
      info.resource_version = event.resource_version;
      if (info.type == FrameType::kAdded && event.created != WallTime()) {
        info.created = event.created;
      }
      break;
    case FrameType::kBookmark:
      info.resource_version =
          ParseResourceVersion(raw.resource_version).value_or(0);
      if (info.resource_version == 0) info.type = FrameType::kMalformed;
      break;
    case FrameType::kError:
      info.status_code =
          static_cast<int>(std::clamp<int64_t>(raw.status_code, 0, 999));
      info.status_reason = raw.plain.reason;
      info.status_message = CutUtf8(raw.plain.message, 200);
      if (raw.retry_after && *raw.retry_after > 0) {
        info.retry_after =
            std::chrono::seconds(std::min<int64_t>(*raw.retry_after, 86400));
      }
      break;
    case FrameType::kUnknown:
    case FrameType::kMalformed:
      break;
  }
}

}  // namespace

struct EventDecoder::Parser {
  ondemand::parser kept;
  std::unique_ptr<ondemand::parser> big;
  std::string shortened;
  std::deque<std::string> repaired;

  // Parses the object at the start of `json`. Returns its length there, 0 when
  // it is malformed or too large. Above kCutAbove `json` becomes a copy with
  // its long strings cut.
  size_t Open(std::string_view& json, ondemand::document& doc,
              ondemand::object& object) {
    size_t size = json.size();
    if (!repaired.empty()) repaired.clear();
    if (size > kCutAbove) {
      shortened.clear();
      size = CutLongStrings(json, kMaxString, kMaxShortened, shortened);
      shortened.append(kJsonPadding, ' ');
      json = {shortened.data(), shortened.size() - kJsonPadding};
    } else if (shortened.capacity() > kCutAbove) {
      std::string().swap(shortened);
    }
    if (size == 0) return 0;
    ondemand::parser* parser = &kept;
    if (json.size() > kKeepParserBelow) {
      big = std::make_unique<ondemand::parser>();
      parser = big.get();
    } else {
      big.reset();
    }
    if (parser->iterate(json, json.size() + kJsonPadding).get(doc) ||
        doc.get_object().get(object)) {
      return 0;
    }
    return size;
  }
};

EventDecoder::EventDecoder() : parser_(std::make_unique<Parser>()) {}
EventDecoder::~EventDecoder() = default;

FrameInfo EventDecoder::DecodeFrame(std::string_view json, Event& event) {
  FrameInfo info;
  info.consumed = json.size();
  const char* const whole = json.data();
  ondemand::document doc;
  ondemand::object frame;
  const size_t size = parser_->Open(json, doc, frame);
  if (size == 0) return info;
  RawObject raw(parser_->repaired);
  std::string_view type;
  bool has_object = false;
  const auto error =
      ForEachField(frame, [&](const char* key, ondemand::value& value) {
        if (Is(key, "type")) type = raw.Text(value);
        if (!Is(key, "object")) return simdjson::SUCCESS;
        has_object = true;
        return ForEachField(value, FieldReader(raw));
      });
  if (error || type.empty() || !has_object) return info;
  const char* rest = nullptr;
  if (json.data() != whole) {
    info.consumed = size;
  } else if (doc.current_location().get(rest) == simdjson::SUCCESS &&
             rest < json.data() + json.size()) {
    info.consumed = static_cast<size_t>(rest - json.data());
  }
  info.type = ToFrameType(type);
  FinishFrame(raw, event, info);
  return info;
}

bool EventDecoder::DecodeItem(std::string_view json, Event& event) {
  ondemand::document doc;
  ondemand::object item;
  if (parser_->Open(json, doc, item) == 0) return false;
  RawObject raw(parser_->repaired);
  return ForEachField(item, FieldReader(raw)) == simdjson::SUCCESS &&
         Finish(raw, event);
}

}  // namespace kem
