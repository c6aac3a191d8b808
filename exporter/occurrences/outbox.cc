#include "occurrences/outbox.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "occurrences/occurrence.h"

namespace kem {

Leftovers Outbox::SetSinks(const std::vector<Sink>& sinks) {
  if (saving_) Keep(kMaxKept + 1);  // the numbers of sinks change
  std::vector<Queue> old = std::exchange(queues_, {});
  for (const Sink& sink : sinks) {
    Queue& queue = queues_.emplace_back();
    for (Queue& before : old) {
      if (before.sink.name == sink.name) queue = std::move(before);
    }
    if (sink.joins && !queue.sink.joins) queue.entries.Close(last_number_);
    if (queue.sink.joins && !sink.joins) queue.entries.StopJoining();
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

void Outbox::Offer(uint32_t mask, const OutboxEntryPtr& entry) {
  // An entry that is joined belongs to its sink alone.
  for (size_t i = 0; i < queues_.size(); ++i) {
    if ((mask >> i & 1) == 0 || !queues_[i].sink.joins) continue;
    Join(i, entry->bytes);
    mask &= ~(uint32_t{1} << i);
  }
  if (mask == 0) return;
  entry->number = ++last_number_;
  for (size_t i = 0; i < queues_.size(); ++i) {
    if ((mask >> i & 1) == 0) continue;
    queues_[i].entries.Push(entry);
    MakeRoom(i);
  }
}

void Outbox::Join(size_t index, std::string_view bytes) {
  SinkQueue& entries = queues_[index].entries;
  const auto occurrence = DecodeOccurrence(bytes);
  const std::string uid(occurrence ? occurrence->uid : std::string_view());
  std::string joined;
  if (const OutboxEntryPtr earlier = entries.FindOpen(uid)) {
    joined = JoinOccurrences(earlier->bytes, bytes);
    bytes = joined;
    BeforeLeave(index, earlier);
    entries.RemoveOpen(earlier);
  }
  OutboxEntryPtr entry = OutboxEntryPtr::Copy(bytes);
  entry->number = ++last_number_;
  entries.PushOpen(std::move(entry), uid);
  MakeRoom(index);
}

bool Outbox::CloseWindow(size_t index) {
  SinkQueue& entries = queues_[index].entries;
  if (!queues_[index].sink.joins || !entries.in_hand().empty() ||
      entries.Oldest(/*closed_only=*/true) != nullptr) {
    return false;
  }
  entries.Close(last_number_);
  return true;
}

OutboxEntryPtr Outbox::LastClosed(size_t index) const {
  const Queue& queue = queues_[index];
  return queue.sink.joins ? queue.entries.LastClosed() : nullptr;
}

void Outbox::Drop(uint32_t mask, uint64_t entries) {
  for (size_t i = 0; i < queues_.size(); ++i) {
    if ((mask >> i & 1) != 0) queues_[i].dropped += entries;
  }
}

void Outbox::MakeRoom(size_t index) {
  auto& [sink, entries, dropped, memories] = queues_[index];
  while (entries.waiting() > sink.max_entries ||
         entries.waiting_bytes() > sink.max_bytes) {
    if (saving_) BeforeLeave(index, *entries.Oldest(/*closed_only=*/false));
    entries.PopOldest();
    ++dropped;
  }
}

Outbox::Entries Outbox::Peek(size_t index, size_t max_entries,
                             size_t max_bytes) {
  PutBack(index);
  SinkQueue& entries = queues_[index].entries;
  size_t bytes = 0;
  while (const OutboxEntryPtr* oldest =
             entries.Oldest(queues_[index].sink.joins)) {
    bytes += (*oldest)->bytes.size();
    const size_t taken = entries.in_hand().size();
    if (taken > 0 && (taken == max_entries || bytes > max_bytes)) break;
    entries.TakeInHand();
  }
  return {entries.in_hand().begin(), entries.in_hand().end()};
}

void Outbox::Acknowledge(size_t index, uint64_t number) {
  SinkQueue& entries = queues_[index].entries;
  while (!entries.in_hand().empty() &&
         entries.in_hand().front()->number <= number) {
    BeforeLeave(index, entries.in_hand().front());
    entries.PopInHand();
  }
  while (const OutboxEntryPtr* oldest = entries.Oldest(false)) {
    if ((*oldest)->number > number) break;
    BeforeLeave(index, *oldest);
    entries.PopOldest();
  }
}

void Outbox::PutBack(size_t index) {
  queues_[index].entries.PutBack();
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
  const auto& [sink, entries, dropped, memories] = queues_[index];
  Size size{entries.entries(), entries.bytes(), dropped};
  if (!entries.in_hand().empty()) {
    size.oldest = entries.in_hand().front();
  } else if (const OutboxEntryPtr* oldest = entries.Oldest(sink.joins)) {
    size.oldest = *oldest;
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
  for (const Queue& queue : queues_) {
    head.Integer<uint64_t>(queue.entries.closed());
  }
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

void Outbox::BeforeLeave(size_t index, const OutboxEntryPtr& entry) {
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
  const auto consider = [&](const OutboxEntryPtr& entry, uint32_t mask) {
    if (entry == nullptr || entry->number > saving_->last) return;
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
    consider(queues_[i].entries.After(saving_->entry), uint32_t{1} << i);
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
  for (Queue& queue : queues_) {
    queue.entries.Close(head.Integer<uint64_t>());
  }
  if (!head.ok()) return false;
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
    Restore(number, mask, entry);
  }
  return piece.ok();
}

void Outbox::Restore(uint64_t number, uint32_t mask, std::string_view bytes) {
  last_number_ = number;
  const OutboxEntryPtr entry = OutboxEntryPtr::Copy(bytes);
  entry->number = number;
  for (size_t i = 0; i < queues_.size(); ++i) {
    if ((mask >> i & 1) == 0) continue;
    SinkQueue& entries = queues_[i].entries;
    if (queues_[i].sink.joins && number > entries.closed()) {
      entries.PushOpen(entry, DecodeOccurrence(bytes)->uid);
    } else {
      entries.Push(entry);
    }
    MakeRoom(i);
  }
}

void PutSinks(const std::vector<Outbox::Sink>& sinks, ByteWriter& to) {
  to.Integer<uint8_t>(static_cast<uint8_t>(sinks.size()));
  for (const Outbox::Sink& sink : sinks) {
    to.Text(sink.name);
    to.Integer<uint64_t>(sink.max_entries);
    to.Integer<uint64_t>(sink.max_bytes);
    to.Flag(sink.joins);
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
    sink.joins = from.Flag();
    if (!names.insert(sink.name).second) from.Fail();
  }
  return from.ok();
}

}  // namespace kem
