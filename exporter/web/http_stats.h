// Counts the HTTP server's answers by handler and status code when they end.
// Written by ServerConnection on the server's thread, read by
// metrics/own_metrics.h. Does not limit the number of handlers: HttpRouter
// does.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace kem {

// Thread-safe.
class HttpStats {
 public:
  // In place of a status code: the answer was cut before its end.
  static constexpr int kCut = 0;

  // `handler` is a path of the server or "other", never a client's path.
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
