#include "occurrences/occurrence.h"

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
constexpr size_t kNumbers = 64;

}  // namespace

std::string Occurrence::Id() const {
  return std::string(uid).append("/").append(std::to_string(count));
}

std::string EncodeOccurrence(const Occurrence& occurrence) {
  size_t size = kNumbers + occurrence.message.size();
  for (const auto word : kWords) size += 4 + (occurrence.*word).size();
  std::string bytes;
  bytes.reserve(size);
  ByteWriter to(bytes);
  to.Flag(occurrence.scope == Scope::kCluster);
  to.Integer<uint64_t>(occurrence.resource_version);
  to.Integer<uint32_t>(occurrence.delta);
  to.Integer<uint32_t>(occurrence.count);
  to.Time(occurrence.first_seen);
  to.Time(occurrence.occurred_at);
  for (const auto word : kWords) {
    to.Text(CutUtf8(occurrence.*word, Occurrence::kMaxWord));
  }
  to.Text(CutUtf8(occurrence.message, Occurrence::kMaxMessage));
  return bytes;
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
  if (!from.Done()) return std::nullopt;
  return occurrence;
}

}  // namespace kem
