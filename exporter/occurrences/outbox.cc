#include "occurrences/outbox.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "occurrences/occurrence.h"

namespace kem {

std::shared_ptr<const Outbox::Entry> Outbox::Line::PopFront() {
  std::shared_ptr<const Entry> entry = std::move(entries.front());
  entries.pop_front();
  bytes -= entry->bytes.size();
  return entry;
}

void Outbox::Line::PushBack(std::shared_ptr<const Entry> entry) {
  bytes += entry->bytes.size();
  entries.push_back(std::move(entry));
}

Leftovers Outbox::SetSinks(const std::vector<Sink>& sinks) {
  if (saving_) Keep(kMaxKept + 1);  // the numbers of sinks change
  std::vector<Queue> old = std::exchange(queues_, {});
  for (const Sink& sink : sinks) {
    Queue& queue = queues_.emplace_back();
    for (Queue& before : old) {
      if (before.sink.name == sink.name) queue = std::move(before);
    }
    queue.sink = sink;
    MakeRoom(queues_.size() - 1);
  }
  return {std::make_shared<const std::vector<Queue>>(std::move(old))};
}

std::optional<size_t> Outbox::Find(std::string_view name) const {
  for (size_t i = 0; i < queues_.size(); ++i) {
    if (queues_[i].sink.name == name) return i;
  }
  return std::nullopt;
}

void Outbox::Offer(uint32_t mask, std::string bytes) {
  const auto entry =
      std::make_shared<const Entry>(Entry{++last_number_, std::move(bytes)});
  for (size_t i = 0; i < queues_.size(); ++i) {
    if ((mask >> i & 1) == 0) continue;
    Queue& queue = queues_[i];
    queue.waiting.PushBack(entry);
    MakeRoom(i);
  }
}

void Outbox::Drop(uint32_t mask, uint64_t entries) {
  for (size_t i = 0; i < queues_.size(); ++i) {
    if ((mask >> i & 1) != 0) queues_[i].dropped += entries;
  }
}

void Outbox::PopFront(size_t index, Line& line) {
  BeforeLeave(index, line.entries.front());
  line.PopFront();
}

void Outbox::MakeRoom(size_t index) {
  Queue& queue = queues_[index];
  while (!queue.waiting.entries.empty() &&
         (queue.waiting.entries.size() > queue.sink.max_entries ||
          queue.waiting.bytes > queue.sink.max_bytes)) {
    PopFront(index, queue.waiting);
    ++queue.dropped;
  }
}

Outbox::Entries Outbox::Peek(size_t index, size_t max_entries,
                             size_t max_bytes) {
  PutBack(index);
  Line& in_hand = queues_[index].in_hand;
  Line& waiting = queues_[index].waiting;
  while (!waiting.entries.empty()) {
    const size_t bytes = in_hand.bytes + waiting.entries.front()->bytes.size();
    if (!in_hand.entries.empty() &&
        (in_hand.entries.size() == max_entries || bytes > max_bytes)) {
      break;
    }
    in_hand.PushBack(waiting.PopFront());
  }
  return {in_hand.entries.begin(), in_hand.entries.end()};
}

void Outbox::Acknowledge(size_t index, uint64_t number) {
  Queue& queue = queues_[index];
  for (Line* line : {&queue.in_hand, &queue.waiting}) {
    while (!line->entries.empty() && line->entries.front()->number <= number) {
      PopFront(index, *line);
    }
  }
}

void Outbox::PutBack(size_t index) {
  Queue& queue = queues_[index];
  auto& entries = queue.in_hand.entries;
  for (; !entries.empty(); entries.pop_back()) {
    queue.waiting.entries.push_front(std::move(entries.back()));
  }
  queue.waiting.bytes += std::exchange(queue.in_hand.bytes, 0);
  MakeRoom(index);
}

bool Outbox::Remember(size_t index, std::string_view name,
                      std::string_view text) {
  Memories& memories = queues_[index].memories;
  const auto known = memories.find(name);
  if (text.empty()) {
    if (known == memories.end()) return true;
    BeforeChange(index, name);
    memories.erase(known);
    return true;
  }
  if (name.size() + text.size() > kMaxMemory) return false;
  if (known == memories.end() && memories.size() == kMaxMemories) return false;
  BeforeChange(index, name);
  if (known != memories.end()) {
    known->second = text;
    return true;
  }
  memories.emplace(name, text);
  return true;
}

Outbox::Size Outbox::size(size_t index) const {
  const Queue& queue = queues_[index];
  Size size{.dropped = queue.dropped};
  for (const Line* line : {&queue.waiting, &queue.in_hand}) {
    size.entries += line->entries.size();
    size.bytes += line->bytes;
    if (!line->entries.empty()) size.oldest = line->entries.front();
  }
  return size;
}

// Not in the header: for clang 14 std::optional needs it before the members
// have their values.
Outbox::Saving::Saving() = default;

void Outbox::BeginSave(ByteWriter& head) {
  head.Integer<uint64_t>(last_number_);
  std::vector<Sink> sinks;
  for (const Queue& queue : queues_) sinks.push_back(queue.sink);
  PutSinks(sinks, head);
  saving_.emplace().last = last_number_;
}

void Outbox::EndSave(Leftovers& left) {
  if (saving_) {
    left.push_back(std::make_shared<const Saving>(std::move(*saving_)));
  }
  saving_.reset();
}

void Outbox::Keep(size_t bytes) {
  saving_->kept += bytes;
  if (saving_->kept <= kMaxKept) return;
  saving_->gave_up = true;
  saving_->last = 0;
}

void Outbox::BeforeLeave(size_t index,
                         const std::shared_ptr<const Entry>& entry) {
  if (!saving_ || entry->number <= saving_->entry ||
      entry->number > saving_->last) {
    return;
  }
  Waiting& left = saving_->left[entry->number];
  left.mask |= uint32_t{1} << index;
  if (left.entry != nullptr) return;
  left.entry = entry;
  Keep(entry->bytes.size());
}

void Outbox::BeforeChange(size_t index, std::string_view name) {
  if (!saving_ || saving_->gave_up) return;
  MemoryKey key(index, name);
  if (key < saving_->memory || saving_->changed.contains(key)) return;
  const Memories& memories = queues_[index].memories;
  const auto known = memories.find(name);
  std::string text = known == memories.end() ? "" : known->second;
  const size_t bytes = name.size() + text.size();
  saving_->changed.emplace(std::move(key), std::move(text));
  Keep(bytes);
}

// The oldest entry that is not saved; of the queues it has left as well.
Outbox::Waiting Outbox::NextWaiting() const {
  Waiting next;
  const auto consider = [&](const std::shared_ptr<const Entry>& entry,
                            uint32_t mask) {
    if (entry->number > saving_->last) return;
    if (next.entry == nullptr || entry->number < next.entry->number) {
      next = {entry, 0};
    }
    if (entry->number == next.entry->number) next.mask |= mask;
  };
  const auto left = saving_->left.upper_bound(saving_->entry);
  if (left != saving_->left.end()) {
    consider(left->second.entry, left->second.mask);
  }
  for (size_t i = 0; i < queues_.size(); ++i) {
    for (const Line* line : {&queues_[i].in_hand, &queues_[i].waiting}) {
      const auto entry = std::upper_bound(
          line->entries.begin(), line->entries.end(), saving_->entry,
          [](uint64_t number, const std::shared_ptr<const Entry>& other) {
            return number < other->number;
          });
      if (entry != line->entries.end()) consider(*entry, uint32_t{1} << i);
    }
  }
  return next;
}

// A piece has entries or texts, behind a flag.
bool Outbox::SavePiece(size_t size, std::string& out) {
  if (saving_->gave_up) return false;
  return SaveEntries(size, out) || SaveMemories(size, out);
}

bool Outbox::SaveEntries(size_t size, std::string& out) {
  if (saving_->entry == saving_->last) return false;
  ByteWriter to(out);
  to.Flag(false);
  while (out.size() < size) {
    const Waiting next = NextWaiting();
    if (next.entry == nullptr) {
      saving_->entry = saving_->last;
      saving_->left.clear();
      return true;
    }
    to.Integer<uint64_t>(next.entry->number);
    to.Integer<uint32_t>(next.mask);
    to.Text(next.entry->bytes);
    saving_->entry = next.entry->number;
    saving_->left.erase(next.entry->number);
  }
  return true;
}

bool Outbox::SaveMemories(size_t size, std::string& out) {
  ByteWriter to(out);
  to.Flag(true);
  auto& [index, name] = saving_->memory;
  while (index < queues_.size() && out.size() < size) {
    // The next name, of those that are and of those that were.
    const Memories& memories = queues_[index].memories;
    const auto now = memories.lower_bound(name);
    const auto was = saving_->changed.lower_bound(saving_->memory);
    const bool changed =
        was != saving_->changed.end() && was->first.first == index &&
        (now == memories.end() || was->first.second <= now->first);
    if (!changed && now == memories.end()) {
      saving_->memory = {index + 1, ""};
      continue;
    }
    name = changed ? was->first.second : now->first;
    const std::string& text = changed ? was->second : now->second;
    if (!text.empty()) {
      to.Integer<uint8_t>(static_cast<uint8_t>(index));
      to.Text(name);
      to.Text(text);
    }
    if (changed) saving_->changed.erase(was);
    name += '\0';  // the first one after it
  }
  return index < queues_.size();
}

bool Outbox::LoadHead(ByteReader& head) {
  const auto last_number = head.Integer<uint64_t>();
  std::vector<Sink> sinks;
  if (!TakeSinks(head, sinks)) return false;
  SetSinks(sinks);
  to_load_ = last_number;
  return true;
}

bool Outbox::LoadPiece(ByteReader& piece) {
  const bool memories = piece.Flag();
  while (piece.ok() && piece.left() > 0) {
    if (memories) {
      const auto index = piece.Integer<uint8_t>();
      const std::string_view name = piece.Text();
      const std::string_view text = piece.Text();
      if (!piece.ok() || index >= queues_.size()) return false;
      if (!Remember(index, name, text)) return false;
      continue;
    }
    const auto number = piece.Integer<uint64_t>();
    const auto mask = piece.Integer<uint32_t>();
    const std::string_view entry = piece.Text();
    if (!piece.ok() || number <= last_number_ || number > to_load_ ||
        !DecodeOccurrence(entry)) {
      return false;
    }
    last_number_ = number - 1;
    Offer(mask, std::string(entry));
  }
  return piece.ok();
}

void StagedOffers::Add(uint32_t mask, const Occurrence& occurrence) {
  offers_.push_back(
      {mask, occurrence.occurred_at, EncodeOccurrence(occurrence)});
  if (++with_text_ == 2 * kKept) DropOldest();
}

void StagedOffers::Take(const Taker& taker) {
  std::stable_sort(offers_.begin(), offers_.end(), IsOlder);
  for (Offer& offer : offers_) taker(offer.mask, std::move(offer.bytes));
  Clear();
}

void StagedOffers::Clear() {
  std::vector<Offer>().swap(offers_);
  with_text_ = 0;
}

// Deletes only the bytes, so that Take still reports them.
void StagedOffers::DropOldest() {
  const auto newest = offers_.end() - static_cast<ptrdiff_t>(kKept);
  std::nth_element(offers_.begin(), newest, offers_.end(), IsOlder);
  for (auto offer = offers_.begin(); offer != newest; ++offer) {
    std::string().swap(offer->bytes);
  }
  with_text_ = kKept;
}

void PutSinks(const std::vector<Outbox::Sink>& sinks, ByteWriter& to) {
  to.Integer<uint8_t>(static_cast<uint8_t>(sinks.size()));
  for (const Outbox::Sink& sink : sinks) {
    to.Text(sink.name);
    to.Integer<uint64_t>(sink.max_entries);
    to.Integer<uint64_t>(sink.max_bytes);
  }
}

bool TakeSinks(ByteReader& from, std::vector<Outbox::Sink>& sinks) {
  sinks.resize(from.Integer<uint8_t>());
  if (sinks.size() > Outbox::kMaxSinks) from.Fail();
  std::set<std::string_view> names;
  for (Outbox::Sink& sink : sinks) {
    sink.name = from.Text();
    sink.max_entries = from.Integer<uint64_t>();
    sink.max_bytes = from.Integer<uint64_t>();
    if (!names.insert(sink.name).second) from.Fail();
  }
  return from.ok();
}

}  // namespace kem
