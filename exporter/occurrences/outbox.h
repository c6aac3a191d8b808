// The queues between counting and the sinks: what each sink has yet to pass
// on, in the order in which it was counted. Bounded: where there is no room the
// oldest goes, and is counted. What an attempt has in hand, one batch, comes on
// top: it takes no room from what is new. Part of the Ledger, so that what was
// counted and what waits to be passed on survive a restart together. Knows
// nothing of sinks but their names.
//
// Not thread-safe: the ledger's mutex guards it. Nothing here fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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
    bool operator==(const Sink&) const = default;
  };

  struct Entry {
    uint64_t number;    // counts up from 1, over restarts too
    std::string bytes;  // an encoded Occurrence
  };
  using Entries = std::vector<std::shared_ptr<const Entry>>;

  // The sinks there are from now on, at most kMaxSinks, each name once. One
  // of a name that was there keeps its queue; other queues are dropped.
  void SetSinks(const std::vector<Sink>& sinks);
  size_t sinks() const { return queues_.size(); }
  const Sink& sink(size_t index) const { return queues_[index].sink; }

  // `mask` has a bit for each sink that shall have it, bit 0 for the first.
  // Others of the mask are ignored.
  void Offer(uint32_t mask, std::string bytes);

  // As if so many more had been offered to each of `mask` and had gone again.
  void Drop(uint32_t mask, uint64_t entries);

  // The oldest that wait, at most so many, which are in hand from now on until
  // Acknowledge or PutBack. At least one where there is one, whatever its size.
  Entries Peek(size_t index, size_t max_entries, size_t max_bytes);
  // Entries up to this number are passed on, or given up.
  void Acknowledge(size_t index, uint64_t number);
  // What is still in hand was not passed on: it waits again, if there is room.
  void PutBack(size_t index);

  // What a sink must know after a restart: a text by its name; an empty one
  // forgets it. False, and nothing kept, for one more than kMaxMemories or one
  // of more than kMaxMemory bytes.
  using Memories = std::map<std::string, std::string, std::less<>>;
  bool Remember(size_t index, std::string_view name, std::string_view text);
  const Memories& memories(size_t index) const {
    return queues_[index].memories;
  }

  struct Size {
    size_t entries = 0;
    size_t bytes = 0;
    uint64_t dropped = 0;  // for want of room, since the process began
    // The oldest that waits; null when there is none.
    std::shared_ptr<const Entry> oldest = nullptr;
  };
  Size size(size_t index) const;

  // Appends queues, names and memories, not what was peeked or counted.
  void Save(std::string& out) const;
  // What Save wrote, into an Outbox that nothing was done with. False when the
  // bytes are not what Save wrote: it is then of no use.
  bool Load(std::string_view bytes);

 private:
  struct Line {
    std::deque<std::shared_ptr<const Entry>> entries;
    size_t bytes = 0;

    std::shared_ptr<const Entry> PopFront();
    void PushBack(std::shared_ptr<const Entry> entry);
  };
  struct Queue {
    Sink sink;
    Line in_hand;  // older than what waits behind it
    Line waiting;
    uint64_t dropped = 0;
    Memories memories;
  };

  static void MakeRoom(Queue& queue);

  std::vector<Queue> queues_;
  uint64_t last_number_ = 0;
};

// As bytes. TakeSinks is false, and fails `from`, for what cannot be.
void PutSinks(const std::vector<Outbox::Sink>& sinks, ByteWriter& to);
bool TakeSinks(ByteReader& from, std::vector<Outbox::Sink>& sinks);

}  // namespace kem
