// How a ledger becomes bytes, in pieces, and is made from them.

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "state/ledger.h"
#include "state/ledger_log.h"

namespace kem {
namespace {

// The kinds of pieces.
constexpr char kSeries = 'S';
constexpr char kOutbox = 'Q';
constexpr char kTracker = 'T';

}  // namespace

std::string Ledger::BeginSave() {
  std::string head;
  ByteWriter to(head);
  PutField(options_, to);
  for (const unsigned char byte : hash_.secret()) to.Integer<uint8_t>(byte);
  to.Integer<uint64_t>(combined_);
  to.Integer<uint64_t>(filtered_);
  PutField(latest_, to);
  series_->BeginSave(to);
  outbox_.BeginSave(to);
  to.Integer<uint16_t>(static_cast<uint16_t>(collections_.size()));
  for (const auto& collection : collections_) {
    to.Text(collection->name);
    to.Flag(collection->has_baseline);
    PutField(collection->choice, to);
    to.Integer<uint64_t>(collection->point.resume());
    to.Time(collection->point.resume_at());
    to.Integer<uint64_t>(collection->point.newest());
    to.Time(collection->point.newest_at());
    to.Time(collection->whole_until);
    collection->tracker.BeginSave(to);
  }
  return head;
}

void Ledger::SavePiece(size_t size, std::string& piece) {
  while (save_part_ < 2 + collections_.size()) {
    bool more = false;
    if (save_part_ == 0) {
      piece = kSeries;
      more = series_->SavePiece(size, piece);
    } else if (save_part_ == 1) {
      piece = kOutbox;
      more = outbox_.SavePiece(size, piece);
    } else {
      Collection& collection = *collections_[save_part_ - 2];
      piece = kTracker;
      ByteWriter(piece).Integer<uint16_t>(collection.number);
      more = collection.tracker.SavePiece(size, piece);
    }
    if (!more) ++save_part_;
    // A part may have had nothing left.
    if (piece.size() > 3) return;
  }
  piece.clear();
}

Leftovers Ledger::EndSave() {
  Leftovers left;
  save_part_ = 0;
  series_->EndSave(left);
  outbox_.EndSave(left);
  for (const auto& collection : collections_) collection->tracker.EndSave(left);
  return left;
}

bool Ledger::save_gave_up() const {
  return series_->save_gave_up() || outbox_.save_gave_up() ||
         std::any_of(collections_.begin(), collections_.end(),
                     [](const std::unique_ptr<Collection>& collection) {
                       return collection->tracker.save_gave_up();
                     });
}

std::unique_ptr<Ledger> Ledger::Load(std::string_view head) {
  ByteReader from(head);
  SeriesOptions options;
  if (!TakeOptions(from, options)) return nullptr;
  Hasher::Secret secret;
  for (unsigned char& byte : secret) byte = from.Integer<uint8_t>();
  auto ledger = std::make_unique<Ledger>(options, Hasher(secret));
  ledger->combined_ = from.Integer<uint64_t>();
  ledger->filtered_ = from.Integer<uint64_t>();
  ledger->latest_.steady = from.Steady();
  ledger->latest_.wall = from.Wall();
  if (!ledger->series_->LoadHead(from) || !ledger->outbox_.LoadHead(from)) {
    return nullptr;
  }
  const auto count = from.Integer<uint16_t>();
  for (uint16_t i = 0; i < count && from.ok(); ++i)
    ledger->LoadCollection(from);
  return from.Done() ? std::move(ledger) : nullptr;
}

void Ledger::LoadCollection(ByteReader& head) {
  const size_t number = collections_.size();
  Collection& collection = FindCollection(std::string(head.Text()));
  if (collection.number != number) return head.Fail();  // the name twice
  collection.has_baseline = head.Flag();
  collection.choice.selector = head.Text();
  collection.choice.filter = head.Text();
  const auto resume = head.Integer<uint64_t>();
  collection.point.Reset(resume, head.Steady());
  const auto newest = head.Integer<uint64_t>();
  collection.point.Observe(newest, head.Steady());
  collection.whole_until = head.Steady();
  if (!collection.tracker.LoadHead(head)) head.Fail();
}

bool Ledger::LoadPiece(std::string_view piece) {
  ByteReader from(piece);
  const std::string_view kind = from.Raw(1);
  if (!from.ok()) return false;
  switch (kind.front()) {
    case kSeries:
      return series_->LoadPiece(from);
    case kOutbox:
      return outbox_.LoadPiece(from);
    case kTracker: {
      Collection* collection = CollectionAt(from.Integer<uint16_t>());
      return from.ok() && collection != nullptr &&
             collection->tracker.LoadPiece(
                 from, [this](SeriesIds ids) { return Knows(ids); });
    }
    default:
      return false;
  }
}

bool Ledger::FinishLoad() {
  outbox_.FinishLoad();
  return series_->FinishLoad() &&
         std::all_of(collections_.begin(), collections_.end(),
                     [](const std::unique_ptr<Collection>& collection) {
                       return collection->tracker.FinishLoad();
                     });
}

}  // namespace kem
