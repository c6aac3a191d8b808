// The count of HTTP answers by handler and status code. Written by web/, read
// by metrics/own_metrics.h. Does not know which handlers there are.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace kem {

// Answers of our own HTTP server, by handler and status code. Thread-safe.
class HttpStats {
 public:
  // `handler` is one of the server's own few names, never a client's path.
  void Count(const std::string& handler, int code) {
    const std::lock_guard guard(mutex_);
    ++requests_[{handler, code}];
  }
  std::map<std::pair<std::string, int>, uint64_t> Requests() const {
    const std::lock_guard guard(mutex_);
    return requests_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, uint64_t> requests_;
};

}  // namespace kem
