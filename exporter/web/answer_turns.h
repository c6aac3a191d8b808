// Which connections may send a large answer now: a limited number, because each
// needs memory. The others wait for their turn. Used by HttpLoop and its
// connections. Does not know time: HttpLoop ends the turn of a client that does
// not read, and ServerConnection a wait that takes too long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "base/fair_queue.h"

namespace kem {

// Not thread-safe.
class AnswerTurns {
 public:
  explicit AnswerTurns(size_t limit) : limit_(limit) {}

  // True when connection `id` has a turn at once; else it waits until Next
  // returns it. Addresses of clients (`group`) take turns.
  bool Ask(const std::string& group, uint64_t id) {
    if (waiting_.empty() && active_.size() < limit_) {
      active_.insert(id);
      return true;
    }
    waiting_.Push(group, id);
    return false;
  }

  // Ends the turn or the wait of `id`, if it has one.
  void Leave(uint64_t id) {
    if (active_.erase(id) > 0) return;
    waiting_.Remove([id](uint64_t one) { return one == id; });
  }

  bool HasNext() const { return !waiting_.empty() && active_.size() < limit_; }
  // Gives the next waiting connection its turn and returns it; HasNext() must
  // be true.
  uint64_t Next() {
    const uint64_t id = waiting_.Pop();
    active_.insert(id);
    return id;
  }

  size_t waiting() const { return waiting_.size(); }
  const std::set<uint64_t>& active() const { return active_; }

 private:
  const size_t limit_;
  std::set<uint64_t> active_;
  FairQueue<uint64_t> waiting_;
};

}  // namespace kem
