// Look-ups that hang until the test answers them, and how often each name was
// asked. Used by the tests of Resolver and of what waits for it. The threads of
// look-ups may outlive it.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "net/resolver.h"

namespace kem {

class FakeNameServer {
 public:
  ~FakeNameServer() { Answer({{}, "the test is over"}); }

  Resolver::LookUp LookUp() const {
    return [state = state_](const std::string& host) {
      std::unique_lock lock(state->mutex);
      ++state->asked[host];
      state->changed.notify_all();
      state->changed.wait(lock, [&] { return state->answer.has_value(); });
      return *state->answer;
    };
  }
  // The answer to all look-ups, those that hang and the next ones.
  void Answer(HostAddresses answer) {
    const std::lock_guard lock(state_->mutex);
    state_->answer = std::move(answer);
    state_->changed.notify_all();
  }
  void Hang() {
    const std::lock_guard lock(state_->mutex);
    state_->answer.reset();
  }
  int Asked(const std::string& host) const {
    const std::lock_guard lock(state_->mutex);
    return state_->asked[host];
  }
  void WaitForQuestion(const std::string& host) const {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [&] { return state_->asked[host] > 0; });
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, int> asked;
    std::optional<HostAddresses> answer;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace kem
