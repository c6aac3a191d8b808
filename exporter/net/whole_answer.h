// An HttpHandler that keeps the head and a small body, up to a limit. Used for
// requests that read or write single objects. Does not judge the status; lists
// and watches are read as they arrive instead.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "net/http_transport.h"

namespace kem {

class WholeAnswer : public HttpHandler {
 public:
  static constexpr size_t kUsualLimit = size_t{64} << 10;

  // Bytes of the body after `limit` are read and dropped.
  explicit WholeAnswer(size_t limit = kUsualLimit) : limit_(limit) {}

  bool OnHead(const HttpHead& head) override {
    head_ = head;
    return true;
  }
  bool OnBody(std::string_view bytes) override {
    body_ += bytes.substr(0, limit_ - std::min(limit_, body_.size()));
    return true;
  }
  // Status 0 when no head arrived.
  const HttpHead& head() const { return head_; }
  const std::string& body() const { return body_; }

 private:
  const size_t limit_;
  HttpHead head_;
  std::string body_;
};

}  // namespace kem
