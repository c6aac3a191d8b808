// A queue in which groups take turns, and a group's entries are served in the
// order of their arrival. So a client address with many entries delays the
// others by one entry each at most. Used by web/ for logins and answers. Has no
// limit of its own: each connection has one entry there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <list>
#include <string>
#include <utility>

namespace kem {

// Not thread-safe.
template <typename T>
class FairQueue {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // A new group's turn comes after one entry of each other group.
  void Push(const std::string& group, T entry) {
    auto it = std::find_if(groups_.begin(), groups_.end(),
                           [&](const Group& g) { return g.name == group; });
    if (it == groups_.end()) it = groups_.insert(it, Group{group, {}});
    it->entries.push_back(std::move(entry));
    ++size_;
  }

  // The next entry; the queue must not be empty.
  T Pop() {
    Group& group = groups_.front();
    T entry = std::move(group.entries.front());
    group.entries.pop_front();
    --size_;
    if (group.entries.empty()) {
      groups_.pop_front();
    } else {
      groups_.splice(groups_.end(), groups_, groups_.begin());
    }
    return entry;
  }

  // Removes the entries for which `matches` returns true.
  template <typename Predicate>
  void Remove(Predicate matches) {
    for (Group& group : groups_) {
      size_ -= std::erase_if(group.entries, matches);
    }
    groups_.remove_if([](const Group& g) { return g.entries.empty(); });
  }

 private:
  struct Group {
    std::string name;
    std::deque<T> entries;  // not empty
  };

  std::list<Group> groups_;  // the next turn first
  size_t size_ = 0;
};

}  // namespace kem
