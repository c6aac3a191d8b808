#include "occurrences/occurrence.h"

#include <cstring>

#include "base/bytes.h"
#include "base/utf8.h"

namespace kem {
namespace {

// All texts but the message, in the order of the bytes.
constexpr std::array kWords = {&Occurrence::event_namespace,
                               &Occurrence::name,
                               &Occurrence::uid,
                               &Occurrence::api_version,
                               &Occurrence::kind,
                               &Occurrence::object_namespace,
                               &Occurrence::object_name,
                               &Occurrence::object_uid,
                               &Occurrence::object_version,
                               &Occurrence::field_path,
                               &Occurrence::reason,
                               &Occurrence::type,
                               &Occurrence::reporting_component,
                               &Occurrence::host,
                               &Occurrence::action};
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

// Returns the end. Most texts are short or empty, and a call of memcpy takes
// longer than these.
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
// appends.
class Encoding {
 public:
  explicit Encoding(const Occurrence& occurrence) : occurrence_(occurrence) {
    for (size_t i = 0; i < kWords.size(); ++i) {
      texts_[i] = CutUtf8(occurrence.*kWords[i], Occurrence::kMaxWord);
    }
    texts_[kWords.size()] =
        CutUtf8(occurrence.message, Occurrence::kMaxMessage);
    texts_.back() = occurrence.joined;
    for (const std::string_view text : texts_) size_ += 4 + text.size();
  }

  size_t size() const { return size_; }

  // Writes size() bytes.
  void Write(char* at) const {
    const auto put = [&at](auto number) {
      for (size_t i = 0; i < sizeof(number); ++i) {
        *at++ = static_cast<char>(number >> 8 * i & 0xff);
      }
    };
    *at++ = occurrence_.scope == Scope::kCluster ? '\1' : '\0';
    put(occurrence_.resource_version);
    put(occurrence_.delta);
    put(occurrence_.count);
    put(Micros(occurrence_.first_seen));
    put(Micros(occurrence_.occurred_at));
    for (const std::string_view text : texts_) {
      put(static_cast<uint32_t>(text.size()));
      at = Append(text, at);
    }
  }

 private:
  const Occurrence& occurrence_;
  std::array<std::string_view, kWords.size() + 2> texts_;
  size_t size_ = kNumberBytes;
};

}  // namespace

std::string Occurrence::Id() const {
  return std::string(uid).append("/").append(std::to_string(count));
}

std::string EncodeOccurrence(const Occurrence& occurrence) {
  const Encoding encoding(occurrence);
  std::string bytes(encoding.size(), '\0');
  encoding.Write(bytes.data());
  return bytes;
}

OutboxEntryPtr MakeEntry(const Occurrence& occurrence) {
  const Encoding encoding(occurrence);
  OutboxEntryPtr entry = OutboxEntryPtr::Make(encoding.size());
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
