#include "occurrences/delivery_mark.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/json_text.h"

namespace kem {
namespace {

using nlohmann::json;

constexpr size_t kMaxText = size_t{256} << 10;  // of all annotations
constexpr char kWhole[] = "delivered";
constexpr char kWindow[] = "window";
constexpr char kLast[] = "deliveredOfWindow";

// Of the watches that an Event of this namespace comes from.
uint64_t At(const DeliveryMark::Versions& versions,
            std::string_view event_namespace) {
  uint64_t version = 0;
  for (const std::string_view watched : {std::string_view(), event_namespace}) {
    const auto found = versions.find(watched);
    if (found != versions.end()) version = std::max(version, found->second);
  }
  return version;
}

bool TakeVersions(const json& from, const char* key,
                  DeliveryMark::Versions& to) {
  const auto found = from.find(key);
  if (found == from.end()) return true;
  if (!found->is_object()) return false;
  for (const auto& [watched, version] : found->items()) {
    if (!version.is_number_unsigned()) return false;
    to[watched] = version.get<uint64_t>();
  }
  return true;
}

}  // namespace

void NoteDelivered(DeliveryMark& mark, std::string_view watched,
                   const Occurrence& occurrence) {
  DeliveryMark::Versions& versions = mark.window > 0 ? mark.last : mark.whole;
  // Also when it is lower: a restored etcd begins again with lower versions.
  versions[std::string(watched)] = occurrence.resource_version;
}

void EndWindow(DeliveryMark& mark) {
  for (const auto& [watched, version] : mark.last) {
    mark.whole[watched] = version;
  }
  mark.window = 0;
  mark.last.clear();
}

std::optional<Occurrence> NotDelivered(const DeliveryMark& mark,
                                       const Occurrence& occurrence,
                                       const Occurrence* later) {
  const std::vector<OccurrencePart> parts = Parts(occurrence);
  const uint64_t whole = At(mark.whole, occurrence.event_namespace);
  const uint64_t last = At(mark.last, occurrence.event_namespace);
  size_t done = 0;  // parts from the front
  while (done < parts.size() && parts[done].resource_version <= whole) ++done;
  if (mark.window > 0) {
    size_t end = done;
    while (end < parts.size() && parts[end].resource_version <= mark.window) {
      ++end;
    }
    // Its last version in the window, of which the record has the number.
    uint64_t final = end > done ? parts[end - 1].resource_version : UINT64_MAX;
    if (end > done && later != nullptr) {
      for (const OccurrencePart& part : Parts(*later)) {
        if (part.resource_version <= mark.window) {
          final = part.resource_version;
        }
      }
    }
    if (final <= last) done = end;
  }
  if (done == parts.size()) return std::nullopt;
  return WithoutParts(occurrence, done);
}

std::string MarkText(const DeliveryMark& mark) {
  json text = json::object();
  if (!mark.whole.empty()) text[kWhole] = mark.whole;
  if (mark.window > 0) {
    text[kWindow] = mark.window;
    text[kLast] = mark.last;
  }
  return JsonText(text);
}

std::optional<DeliveryMark> ParseMark(std::string_view text) {
  if (text.size() > kMaxText) return std::nullopt;
  const json from = json::parse(text, nullptr, false);
  DeliveryMark mark;
  if (!from.is_object() || !TakeVersions(from, kWhole, mark.whole) ||
      !TakeVersions(from, kLast, mark.last)) {
    return std::nullopt;
  }
  const auto window = from.find(kWindow);
  if (window == from.end()) {
    mark.last.clear();
    return mark;
  }
  if (!window->is_number_unsigned()) return std::nullopt;
  mark.window = window->get<uint64_t>();
  return mark;
}

}  // namespace kem
