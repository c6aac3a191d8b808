#include "occurrences/occurrence.h"

#include <cstring>

#include "base/bytes.h"
#include "base/utf8.h"

namespace kem {
namespace {

// All texts but the message, in the order of the bytes.
constexpr std::array kWords = {
    &Event::event_namespace,     &Event::name,       &Event::uid,
    &Event::api_version,         &Event::kind,       &Event::object_namespace,
    &Event::object_name,         &Event::object_uid, &Event::object_version,
    &Event::field_path,          &Event::reason,     &Event::type,
    &Event::reporting_component, &Event::host,       &Event::action};
constexpr size_t kNumberBytes = 1 + 8 + 4 + 4 + 8 + 8;
constexpr size_t kPartBytes = 12;
constexpr uint32_t kMaxDelta = UINT32_MAX;

uint64_t Micros(WallTime time) {
  return static_cast<uint64_t>(time.time_since_epoch().count());
}

uint32_t Sum(uint32_t one, uint32_t other) {
  return one > kMaxDelta - other ? kMaxDelta : one + other;
}

// The earlier parts, and the sum of their deltas. A reader that fails, or a sum
// above the occurrence's delta, is no EncodeOccurrence's.
bool TakeParts(std::string_view joined, std::vector<OccurrencePart>& parts,
               uint32_t& sum) {
  ByteReader from(joined);
  sum = 0;
  while (from.ok() && from.left() > 0) {
    OccurrencePart& part = parts.emplace_back();
    part.resource_version = from.Integer<uint64_t>();
    part.delta = from.Integer<uint32_t>();
    sum = Sum(sum, part.delta);
  }
  return from.ok() && parts.size() < Occurrence::kMaxParts;
}

// Returns the end. Most texts are short or empty, so that calls would take
// longer than these copies.
char* Append(std::string_view text, char* at) {
  const size_t size = text.size();
  if (size >= 8 && size <= 16) {
    std::memcpy(at, text.data(), 8);
    std::memcpy(at + size - 8, text.data() + size - 8, 8);
  } else if (size > 16) {
    std::memcpy(at, text.data(), size);
  } else {
    for (size_t i = 0; i < size; ++i) at[i] = text[i];
  }
  return at + size;
}

// The bytes of an occurrence. Every one for a sink is encoded under the
// ledger's mutex, so this writes what a ByteWriter would, but without its
// appends, and takes the parts of an Occurrence apart, so that none is copied.
struct Encoding {
  const Event& event;
  Scope scope;
  uint32_t delta;
  std::string_view joined;

  template <typename Take>
  void ForEachText(Take take) const {
    for (const auto word : kWords) {
      take(CutUtf8(event.*word, Occurrence::kMaxWord));
    }
    take(CutUtf8(event.message, Occurrence::kMaxMessage));
    take(joined);
  }

  size_t Size() const {
    size_t size = kNumberBytes;
    ForEachText([&size](std::string_view text) { size += 4 + text.size(); });
    return size;
  }

  // Writes Size() bytes.
  void Write(char* at) const {
    const auto put = [&at](auto number) {
      for (size_t i = 0; i < sizeof(number); ++i) {
        *at++ = static_cast<char>(number >> 8 * i & 0xff);
      }
    };
    *at++ = scope == Scope::kCluster ? '\1' : '\0';
    put(event.resource_version);
    put(delta);
    put(event.count);
    put(Micros(event.first_seen));
    put(Micros(event.occurred_at));
    ForEachText([&](std::string_view text) {
      put(static_cast<uint32_t>(text.size()));
      at = Append(text, at);
    });
  }
};

}  // namespace

std::string Occurrence::Id() const {
  return std::string(uid).append("/").append(std::to_string(count));
}

std::string EncodeOccurrence(const Occurrence& occurrence) {
  const Encoding encoding{occurrence, occurrence.scope, occurrence.delta,
                          occurrence.joined};
  std::string bytes(encoding.Size(), '\0');
  encoding.Write(bytes.data());
  return bytes;
}

OutboxEntryPtr MakeEntry(const Event& event, Scope scope, uint32_t delta) {
  const Encoding encoding{event, scope, delta, {}};
  OutboxEntryPtr entry = OutboxEntryPtr::Make(encoding.Size());
  encoding.Write(entry.data());
  return entry;
}

std::optional<Occurrence> DecodeOccurrence(std::string_view bytes) {
  ByteReader from(bytes);
  Occurrence occurrence;
  occurrence.scope = from.Flag() ? Scope::kCluster : Scope::kNamespaced;
  occurrence.resource_version = from.Integer<uint64_t>();
  occurrence.delta = from.Integer<uint32_t>();
  occurrence.count = from.Integer<uint32_t>();
  occurrence.first_seen = from.Wall();
  occurrence.occurred_at = from.Wall();
  for (const auto word : kWords) occurrence.*word = from.Text();
  occurrence.message = from.Text();
  occurrence.joined = from.Text();
  if (!from.Done()) return std::nullopt;
  if (occurrence.joined.empty()) return occurrence;
  std::vector<OccurrencePart> parts;
  uint32_t sum = 0;
  if (!TakeParts(occurrence.joined, parts, sum) || sum > occurrence.delta) {
    return std::nullopt;
  }
  return occurrence;
}

std::vector<OccurrencePart> Parts(const Occurrence& occurrence) {
  std::vector<OccurrencePart> parts;
  uint32_t sum = 0;
  TakeParts(occurrence.joined, parts, sum);
  parts.push_back({occurrence.resource_version, occurrence.delta - sum});
  return parts;
}

Occurrence WithoutParts(const Occurrence& occurrence, size_t count) {
  const std::vector<OccurrencePart> parts = Parts(occurrence);
  Occurrence rest = occurrence;
  for (size_t i = 0; i < count; ++i) rest.delta -= parts[i].delta;
  rest.joined.remove_prefix(count * kPartBytes);
  return rest;
}

std::string JoinOccurrences(std::string_view older, std::string_view newer) {
  const std::optional<Occurrence> before = DecodeOccurrence(older);
  std::optional<Occurrence> last = DecodeOccurrence(newer);
  if (!before || !last) return std::string(newer);
  std::vector<OccurrencePart> parts = Parts(*before);
  const std::vector<OccurrencePart> more = Parts(*last);
  parts.insert(parts.end(), more.begin(), more.end() - 1);
  while (parts.size() >= Occurrence::kMaxParts) {
    parts[1].delta = Sum(parts[0].delta, parts[1].delta);
    parts.erase(parts.begin());
  }
  std::string joined;
  ByteWriter to(joined);
  for (const OccurrencePart& part : parts) {
    to.Integer<uint64_t>(part.resource_version);
    to.Integer<uint32_t>(part.delta);
  }
  last->delta = Sum(before->delta, last->delta);
  last->joined = joined;
  return EncodeOccurrence(*last);
}

}  // namespace kem
