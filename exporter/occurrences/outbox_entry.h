// One occurrence that waits for sinks: a number and bytes, in one block of
// memory that all queues share. Made for every occurrence that a sink gets,
// under the ledger's mutex, so it costs one allocation and writes no byte
// twice. Used by Outbox, by the pipeline and by the sinks' threads. Does not
// know what the bytes mean.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <utility>

namespace kem {

class OutboxEntry {
 public:
  uint64_t number = 0;     // counts up from 1, over restarts too
  std::string_view bytes;  // an encoded Occurrence, behind this object

 private:
  friend class OutboxEntryPtr;
  std::atomic<uint32_t> owners_{1};
};

// Like std::shared_ptr: copies may be used by several threads, the entry must
// not change once it is shared. Null unless made otherwise.
class OutboxEntryPtr {
 public:
  OutboxEntryPtr() = default;
  OutboxEntryPtr(std::nullptr_t) {}
  // An entry with room for `size` bytes, to be written through data().
  static OutboxEntryPtr Make(size_t size) {
    // Few sizes, so that the allocator returns the block that a full queue just
    // dropped.
    constexpr size_t kStep = 128;
    const size_t whole = sizeof(OutboxEntry) + size;
    void* block = ::operator new((whole + kStep - 1) / kStep * kStep);
    OutboxEntryPtr made;
    made.entry_ = new (block) OutboxEntry();
    made.entry_->bytes = {made.data(), size};
    return made;
  }
  static OutboxEntryPtr Copy(std::string_view bytes) {
    OutboxEntryPtr made = Make(bytes.size());
    std::copy(bytes.begin(), bytes.end(), made.data());
    return made;
  }
  OutboxEntryPtr(const OutboxEntryPtr& other) : entry_(other.entry_) {
    if (entry_) entry_->owners_.fetch_add(1, std::memory_order_relaxed);
  }
  OutboxEntryPtr(OutboxEntryPtr&& other) noexcept
      : entry_(std::exchange(other.entry_, nullptr)) {}
  OutboxEntryPtr& operator=(OutboxEntryPtr other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~OutboxEntryPtr() {
    if (!entry_) return;
    if (entry_->owners_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    entry_->~OutboxEntry();
    ::operator delete(entry_);
  }

  OutboxEntry* operator->() const { return entry_; }
  OutboxEntry* get() const { return entry_; }
  explicit operator bool() const { return entry_ != nullptr; }
  bool operator==(std::nullptr_t) const { return entry_ == nullptr; }
  // Where the bytes are.
  char* data() const { return reinterpret_cast<char*>(entry_ + 1); }
  uint32_t owners() const { return entry_->owners_.load(); }

 private:
  OutboxEntry* entry_ = nullptr;
};

}  // namespace kem
