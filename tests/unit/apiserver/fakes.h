// Files in memory, an environment in memory, a handler that records what it
// receives, and a resolver. Used by the tests of access, credentials and
// transport. The files are only accessible through the FileReader.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/environment.h"
#include "base/file_reader.h"
#include "net/http_transport.h"
#include "net/resolver.h"

namespace kem {

struct FakeFiles {
  std::map<std::string, std::string> texts;
  std::set<std::string> unreadable;

  FileReader Reader() const {
    return
        [this](const std::string& path) -> Result<std::optional<std::string>> {
          if (unreadable.contains(path)) {
            return Error{ErrorCode::kInternal,
                         "cannot read " + path + ": Permission denied"};
          }
          const auto found = texts.find(path);
          if (found == texts.end()) return std::optional<std::string>();
          return std::optional<std::string>(found->second);
        };
  }
};

inline Environment FakeEnvironment(
    std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](
             const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

// The system's, which addresses do not need.
inline Resolver& TestResolver() {
  static Resolver resolver;
  return resolver;
}

// Records heads and body; other threads can wait for a part of the body.
class RecordingHandler : public HttpHandler {
 public:
  bool OnHead(const HttpHead& head) override {
    heads.push_back(head);
    return accept_head;
  }
  bool OnBody(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    body_ += bytes;
    grown_.notify_all();
    return !on_body || on_body(body_);
  }

  std::string Body() const {
    const std::lock_guard lock(mutex_);
    return body_;
  }
  void WaitForBody(size_t size) {
    std::unique_lock lock(mutex_);
    grown_.wait(lock, [&] { return body_.size() >= size; });
  }

  std::vector<HttpHead> heads;
  bool accept_head = true;
  std::function<bool(const std::string& body)> on_body;

 private:
  mutable std::mutex mutex_;
  std::condition_variable grown_;
  std::string body_;
};

}  // namespace kem
