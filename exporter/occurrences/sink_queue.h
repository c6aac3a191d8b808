// The entries that wait for one sink, the oldest first. The batch of the
// current attempt is in hand. A queue that joins keeps the entries of the
// current window open: the next occurrence of an Event replaces its open entry.
// Used by Outbox only, which makes the entries, bounds the queue and counts
// drops.
//
// Not thread-safe: the ledger's mutex guards it. Nothing here fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "occurrences/outbox_entry.h"

namespace kem {

class SinkQueue {
 public:
  // Appends an entry that is not joined.
  void Push(OutboxEntryPtr entry) {
    waiting_bytes_ += entry->bytes.size();
    waiting_.push_back(std::move(entry));
  }
  // Appends one that the next of the same Event replaces, until its window is
  // closed.
  void PushOpen(OutboxEntryPtr entry, std::string_view uid);
  // The entry to be replaced; null when there is none.
  OutboxEntryPtr FindOpen(std::string_view uid) const;
  void RemoveOpen(const OutboxEntryPtr& entry);

  // Entries up to this number are in closed windows, and may be taken in hand.
  uint64_t closed() const { return closed_; }
  void Close(uint64_t number) { closed_ = number; }
  // Closes the window, and opens no other.
  void StopJoining();

  // The oldest entry that waits; null when none does. `closed_only` leaves out
  // those of the open window.
  const OutboxEntryPtr* Oldest(bool closed_only) const;
  OutboxEntryPtr PopOldest() {
    if (waiting_.empty()) return PopOldestOpen();
    OutboxEntryPtr entry = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= entry->bytes.size();
    // A full queue frees an entry for each new one, under the ledger's mutex,
    // and the next one was last used long ago.
    if (!waiting_.empty()) __builtin_prefetch(waiting_.front().get(), 1);
    return entry;
  }
  // The last entry of the closed windows; null when there is none.
  OutboxEntryPtr LastClosed() const;

  // In hand, older than all that wait.
  const std::deque<OutboxEntryPtr>& in_hand() const { return in_hand_; }
  void TakeInHand();  // the oldest that waits
  void PopInHand();   // the oldest in hand
  void PutBack();     // all of it

  // The first entry above this number, of all; null when there is none.
  OutboxEntryPtr After(uint64_t number) const;

  size_t waiting() const { return waiting_.size() + open_.size(); }
  size_t waiting_bytes() const { return waiting_bytes_; }
  size_t entries() const { return waiting() + in_hand_.size(); }
  size_t bytes() const { return waiting_bytes_ + in_hand_bytes_; }

 private:
  using Open = std::map<uint64_t, OutboxEntryPtr>;

  OutboxEntryPtr PopOldestOpen();
  void EraseOpen(Open::iterator at);

  std::deque<OutboxEntryPtr> in_hand_;
  size_t in_hand_bytes_ = 0;
  std::deque<OutboxEntryPtr> waiting_;
  // By number, newer than waiting_; empty unless the queue joins. Some may be
  // in a closed window.
  Open open_;
  std::unordered_map<std::string, uint64_t> open_of_;  // by the Event's uid
  uint64_t closed_ = 0;
  size_t waiting_bytes_ = 0;  // of waiting_ and open_
};

}  // namespace kem
