#include "occurrences/sink_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "occurrences/occurrence.h"

namespace kem {

void SinkQueue::PushOpen(OutboxEntryPtr entry, std::string_view uid) {
  waiting_bytes_ += entry->bytes.size();
  open_of_.insert_or_assign(std::string(uid), entry->number);
  const uint64_t number = entry->number;
  open_.emplace_hint(open_.end(), number, std::move(entry));
}

OutboxEntryPtr SinkQueue::FindOpen(std::string_view uid) const {
  const auto number = open_of_.find(std::string(uid));
  if (number == open_of_.end() || number->second <= closed_) return nullptr;
  const auto entry = open_.find(number->second);
  return entry == open_.end() ? nullptr : entry->second;
}

void SinkQueue::RemoveOpen(const OutboxEntryPtr& entry) {
  EraseOpen(open_.find(entry->number));
}

void SinkQueue::EraseOpen(Open::iterator at) {
  waiting_bytes_ -= at->second->bytes.size();
  // Entries are made here or checked on loading, so decoding succeeds.
  const auto occurrence = DecodeOccurrence(at->second->bytes);
  const auto of = open_of_.find(
      std::string(occurrence ? occurrence->uid : std::string_view()));
  if (of != open_of_.end() && of->second == at->first) open_of_.erase(of);
  open_.erase(at);
}

void SinkQueue::StopJoining() {
  for (auto& [number, entry] : open_) waiting_.push_back(std::move(entry));
  open_.clear();
  open_of_.clear();
}

const OutboxEntryPtr* SinkQueue::Oldest(bool closed_only) const {
  if (!waiting_.empty()) return &waiting_.front();
  if (open_.empty()) return nullptr;
  const auto& [number, entry] = *open_.begin();
  return closed_only && number > closed_ ? nullptr : &entry;
}

OutboxEntryPtr SinkQueue::PopOldestOpen() {
  OutboxEntryPtr entry = open_.begin()->second;
  EraseOpen(open_.begin());
  return entry;
}

OutboxEntryPtr SinkQueue::LastClosed() const {
  const auto after = open_.upper_bound(closed_);
  if (after != open_.begin()) return std::prev(after)->second;
  if (!waiting_.empty()) return waiting_.back();
  return in_hand_.empty() ? nullptr : in_hand_.back();
}

void SinkQueue::TakeInHand() {
  in_hand_.push_back(PopOldest());
  in_hand_bytes_ += in_hand_.back()->bytes.size();
}

void SinkQueue::PopInHand() {
  in_hand_bytes_ -= in_hand_.front()->bytes.size();
  in_hand_.pop_front();
}

void SinkQueue::PutBack() {
  for (; !in_hand_.empty(); in_hand_.pop_back()) {
    waiting_.push_front(std::move(in_hand_.back()));
  }
  waiting_bytes_ += std::exchange(in_hand_bytes_, 0);
}

OutboxEntryPtr SinkQueue::After(uint64_t number) const {
  for (const auto* line : {&in_hand_, &waiting_}) {
    const auto entry =
        std::upper_bound(line->begin(), line->end(), number,
                         [](uint64_t one, const OutboxEntryPtr& other) {
                           return one < other->number;
                         });
    if (entry != line->end()) return *entry;
  }
  const auto entry = open_.upper_bound(number);
  return entry == open_.end() ? nullptr : entry->second;
}

}  // namespace kem
