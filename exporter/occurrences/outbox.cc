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

void Outbox::SetSinks(const std::vector<Sink>& sinks) {
  std::vector<Queue> old = std::exchange(queues_, {});
  for (const Sink& sink : sinks) {
    Queue& queue = queues_.emplace_back();
    for (Queue& before : old) {
      if (before.sink.name == sink.name) queue = std::move(before);
    }
    queue.sink = sink;
    MakeRoom(queue);
  }
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
    MakeRoom(queue);
  }
}

void Outbox::Drop(uint32_t mask, uint64_t entries) {
  for (size_t i = 0; i < queues_.size(); ++i) {
    if ((mask >> i & 1) != 0) queues_[i].dropped += entries;
  }
}

void Outbox::MakeRoom(Queue& queue) {
  while (!queue.waiting.entries.empty() &&
         (queue.waiting.entries.size() > queue.sink.max_entries ||
          queue.waiting.bytes > queue.sink.max_bytes)) {
    queue.waiting.PopFront();
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
      line->PopFront();
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
  MakeRoom(queue);
}

bool Outbox::Remember(size_t index, std::string_view name,
                      std::string_view text) {
  Memories& memories = queues_[index].memories;
  const auto known = memories.find(name);
  if (text.empty()) {
    if (known != memories.end()) memories.erase(known);
    return true;
  }
  if (name.size() + text.size() > kMaxMemory) return false;
  if (known != memories.end()) {
    known->second = text;
    return true;
  }
  if (memories.size() == kMaxMemories) return false;
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

void Outbox::Save(std::string& out) const {
  // An entry in several queues is written once.
  std::map<uint64_t, std::pair<const Entry*, uint32_t>> waiting;
  for (size_t i = 0; i < queues_.size(); ++i) {
    for (const Line* line : {&queues_[i].in_hand, &queues_[i].waiting}) {
      for (const auto& entry : line->entries) {
        auto& [kept, mask] = waiting[entry->number];
        kept = entry.get();
        mask |= uint32_t{1} << i;
      }
    }
  }
  ByteWriter to(out);
  to.Integer<uint64_t>(last_number_);
  std::vector<Sink> sinks;
  for (const Queue& queue : queues_) sinks.push_back(queue.sink);
  PutSinks(sinks, to);
  to.Integer<uint32_t>(static_cast<uint32_t>(waiting.size()));
  for (const auto& [number, kept] : waiting) {
    to.Integer<uint64_t>(number);
    to.Integer<uint32_t>(kept.second);
    to.Text(kept.first->bytes);
  }
  for (const Queue& queue : queues_) {
    to.Integer<uint32_t>(static_cast<uint32_t>(queue.memories.size()));
    for (const auto& [name, text] : queue.memories) {
      to.Text(name);
      to.Text(text);
    }
  }
}

bool Outbox::Load(std::string_view bytes) {
  ByteReader from(bytes);
  const auto last_number = from.Integer<uint64_t>();
  std::vector<Sink> sinks;
  if (!TakeSinks(from, sinks)) return false;
  SetSinks(sinks);
  const auto count = from.Integer<uint32_t>();
  for (uint32_t i = 0; i < count && from.ok(); ++i) {
    const auto number = from.Integer<uint64_t>();
    if (number <= last_number_ || number > last_number) return false;
    last_number_ = number - 1;
    const auto mask = from.Integer<uint32_t>();
    const std::string_view entry = from.Text();
    if (!DecodeOccurrence(entry)) return false;
    Offer(mask, std::string(entry));
  }
  last_number_ = last_number;
  for (size_t i = 0; i < queues_.size(); ++i) {
    const auto memories = from.Integer<uint32_t>();
    for (uint32_t n = 0; n < memories && from.ok(); ++n) {
      const std::string_view name = from.Text();
      if (!Remember(i, name, from.Text())) return false;
    }
  }
  return from.Done();
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
