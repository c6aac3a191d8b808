// The ledger as bytes: the options of its series, the secret of its keys, the
// series, the outbox, and each collection.
#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "state/ledger.h"
#include "state/ledger_log.h"

namespace kem {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds kLongest = std::chrono::hours(24 * 365 * 100);

// Appends what `save` appends, behind its length.
template <typename Save>
void PutPart(std::string& out, const Save& save) {
  const size_t at = out.size();
  ByteWriter to(out);
  to.Integer<uint64_t>(0);
  save();
  std::string length;
  ByteWriter(length).Integer<uint64_t>(out.size() - at - sizeof(uint64_t));
  out.replace(at, length.size(), length);
}

std::string_view TakePart(ByteReader& from) {
  return from.Raw(from.Integer<uint64_t>());
}

SteadyTime TakeTime(ByteReader& from, nanoseconds shift) {
  return SteadyTime(nanoseconds(from.Time(shift.count())));
}

}  // namespace

void Ledger::Save(std::string& out) const {
  ByteWriter to(out);
  to.Integer<int64_t>(options_.initial_zero.count());
  to.Integer<uint64_t>(options_.max_series);
  to.Integer<int64_t>(options_.retention.count());
  for (const unsigned char byte : hash_.secret()) to.Integer<uint8_t>(byte);
  to.Integer<uint64_t>(combined_);
  to.Integer<uint64_t>(filtered_);
  PutPart(out, [&] { series_->Save(out); });
  PutPart(out, [&] { outbox_.Save(out); });
  to.Integer<uint16_t>(static_cast<uint16_t>(collections_.size()));
  for (const auto& collection : collections_) {
    to.Text(collection->name);
    to.Flag(collection->has_baseline);
    to.Text(collection->choice.selector);
    to.Text(collection->choice.filter);
    to.Integer<uint64_t>(collection->point.resume());
    PutField(collection->point.resume_at(), to);
    to.Integer<uint64_t>(collection->point.newest());
    PutField(collection->point.newest_at(), to);
    PutField(collection->whole_until, to);
    PutPart(out, [&] { collection->tracker.Save(out); });
  }
}

std::unique_ptr<Ledger> Ledger::Load(std::string_view bytes,
                                     nanoseconds shift) {
  ByteReader from(bytes);
  SeriesOptions options;
  options.initial_zero = seconds(from.Integer<int64_t>());
  options.max_series = from.Integer<uint64_t>();
  options.retention = seconds(from.Integer<int64_t>());
  // More than flags allow, but safe to add to a time.
  if (options.initial_zero < seconds(0) || options.initial_zero > kLongest ||
      options.retention < seconds(0) || options.retention > kLongest) {
    return nullptr;
  }
  Hasher::Secret secret;
  for (unsigned char& byte : secret) byte = from.Integer<uint8_t>();
  auto ledger = std::make_unique<Ledger>(options, Hasher(secret));
  ledger->combined_ = from.Integer<uint64_t>();
  ledger->filtered_ = from.Integer<uint64_t>();
  if (!ledger->series_->Load(TakePart(from), shift)) return nullptr;
  if (!ledger->outbox_.Load(TakePart(from))) return nullptr;
  const auto count = from.Integer<uint16_t>();
  for (uint16_t i = 0; i < count && from.ok(); ++i) {
    Collection& collection = ledger->FindCollection(std::string(from.Text()));
    if (collection.number != i) return nullptr;  // the name twice
    collection.has_baseline = from.Flag();
    collection.choice.selector = from.Text();
    collection.choice.filter = from.Text();
    const auto resume = from.Integer<uint64_t>();
    collection.point.Reset(resume, TakeTime(from, shift));
    const auto newest = from.Integer<uint64_t>();
    collection.point.Observe(newest, TakeTime(from, shift));
    collection.whole_until = TakeTime(from, shift);
    const auto known = [&](SeriesIds ids) { return ledger->Knows(ids); };
    if (!collection.tracker.Load(TakePart(from), shift, known)) return nullptr;
  }
  return from.Done() ? std::move(ledger) : nullptr;
}

void Ledger::SetOptions(const SeriesOptions& options) {
  std::string bytes;
  series_->Save(bytes);
  options_ = options;
  series_.emplace(options, hash_);
  series_->Load(bytes, {});
}

}  // namespace kem
