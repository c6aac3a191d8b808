// One queue for each sink: occurrences to deliver, in the order in which they
// were counted. Bounded: when a queue is full its oldest entry is dropped and
// counted. The batch of the current attempt is in hand, and takes no room in
// the queue. A queue that joins makes one entry of all occurrences of an Event
// within a window. Part of the Ledger, so that counters and queues survive a
// restart together. Does not deliver.
//
// Not thread-safe: the ledger's mutex guards it. Nothing here fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/piecewise_save.h"
#include "occurrences/sink_queue.h"

namespace kem {

class ByteReader;
class ByteWriter;

class Outbox {
 public:
  static constexpr size_t kMaxSinks = 32;
  static constexpr size_t kMaxMemories = 10'000;
  static constexpr size_t kMaxMemory = 2048;

  struct Sink {
    std::string name;
    size_t max_entries = 10'000;
    size_t max_bytes = size_t{8} << 20;
    bool joins = false;
    bool operator==(const Sink&) const = default;
  };

  using Entries = std::vector<OutboxEntryPtr>;

  // Replaces the sinks: at most kMaxSinks, with distinct names. A sink whose
  // name existed keeps its queue; other queues are returned.
  Leftovers SetSinks(const std::vector<Sink>& sinks);
  size_t sinks() const { return queues_.size(); }
  const Sink& sink(size_t index) const { return queues_[index].sink; }
  // The index of a name, until the next SetSinks.
  std::optional<size_t> Find(std::string_view name) const;

  // Appends an entry, which nothing else has, to the queue of each sink in
  // `mask`; bit 0 is the first. Bits without a sink are ignored.
  void Offer(uint32_t mask, const OutboxEntryPtr& entry);

  // Counts `entries` as dropped by each sink in `mask`.
  void Drop(uint32_t mask, uint64_t entries);

  // Closes the window of a sink that joins. False, and no effect, while an
  // earlier one is not delivered.
  bool CloseWindow(size_t index);
  // The entry of the open window about an Event; null when there is none.
  OutboxEntryPtr FindOpen(size_t index, std::string_view uid) const {
    return queues_[index].entries.FindOpen(uid);
  }
  // The first entry of the open window; null when there is none.
  OutboxEntryPtr FirstOpen(size_t index) const {
    const SinkQueue& entries = queues_[index].entries;
    return queues_[index].sink.joins ? entries.After(entries.closed())
                                     : nullptr;
  }
  // The last entry of the closed windows, for a sink that joins; null when they
  // are delivered.
  OutboxEntryPtr LastClosed(size_t index) const;

  // Takes the oldest entries in hand, until Acknowledge or PutBack; of a sink
  // that joins only those of closed windows. At least one when there is one,
  // whatever its size.
  Entries Peek(size_t index, size_t max_entries, size_t max_bytes);
  // Entries up to this number are delivered, or given up.
  void Acknowledge(size_t index, uint64_t number);
  // Returns what is in hand to the queue, as far as there is room.
  void PutBack(size_t index);

  // Keeps a text by name for a sink, over restarts; an empty text removes it.
  // Returns false, and keeps nothing, for more than kMaxMemories texts or more
  // than kMaxMemory bytes of name and text.
  using Memories = std::map<std::string, std::string, std::less<>>;
  bool Remember(size_t index, std::string_view name, std::string_view text);
  const Memories& memories(size_t index) const {
    return queues_[index].memories;
  }

  struct Size {
    size_t entries = 0;
    size_t bytes = 0;
    uint64_t dropped = 0;  // since the process started
    // That can be delivered; null when there is none.
    OutboxEntryPtr oldest = nullptr;
  };
  Size size(size_t index) const;

  // Saves all but counts of drops, as it is at BeginSave, while it changes.
  // The batch in hand waits again. BeginSave writes a head; SavePiece appends
  // entries and texts until `out` has `size` bytes, and returns false after the
  // last one; EndSave adds what was kept for that to `left`. After
  // save_gave_up() too much had changed.
  void BeginSave(ByteWriter& head);
  bool SavePiece(size_t size, std::string& out);
  void EndSave(Leftovers& left);
  bool save_gave_up() const { return saving_ && saving_->gave_up; }
  // Loads it into a new Outbox: the head, the pieces in their order. False, and
  // unusable, when the bytes are invalid.
  bool LoadHead(ByteReader& head);
  bool LoadPiece(ByteReader& piece);
  void FinishLoad() { last_number_ = to_load_; }

 private:
  // A save keeps at most this many bytes of entries that left the queues and of
  // texts that changed.
  static constexpr size_t kMaxKept = size_t{8} << 20;

  struct Queue {
    Sink sink;
    SinkQueue entries;
    uint64_t dropped = 0;
    Memories memories;
  };

  // An entry that waits, and the queues it is in.
  struct Waiting {
    OutboxEntryPtr entry;
    uint32_t mask = 0;
  };
  using MemoryKey = std::pair<size_t, std::string>;
  // What a save has not written yet: entries with numbers in (entry, last],
  // then texts from `memory` on.
  struct Saving {
    Saving();

    uint64_t entry = 0;
    uint64_t last = 0;
    MemoryKey memory;
    // As they were: entries that left queues, texts that changed (empty: there
    // was none).
    std::map<uint64_t, Waiting> left;
    std::map<MemoryKey, std::string> changed;
    size_t kept = 0;
    bool gave_up = false;
  };

  void Join(size_t index, std::string_view bytes);
  void Restore(uint64_t number, uint32_t mask, std::string_view bytes);
  void MakeRoom(size_t index);
  void BeforeLeave(size_t index, const OutboxEntryPtr& entry);
  void BeforeChange(size_t index, std::string_view name);
  void Keep(size_t bytes);
  Waiting NextWaiting() const;
  bool SaveEntries(size_t size, std::string& out);
  bool SaveMemories(size_t size, std::string& out);

  std::vector<Queue> queues_;
  uint64_t last_number_ = 0;
  std::optional<Saving> saving_;
  uint64_t to_load_ = 0;  // the last number that the head announced
};

// As bytes. TakeSinks returns false, and fails `from`, for invalid bytes.
void PutSinks(const std::vector<Outbox::Sink>& sinks, ByteWriter& to);
bool TakeSinks(ByteReader& from, std::vector<Outbox::Sink>& sinks);

}  // namespace kem
