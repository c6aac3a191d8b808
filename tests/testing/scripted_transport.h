// An HttpTransport that plays a script: the n-th request gets the n-th response
// and is recorded. After the last one, requests fail (kUnreachable). Used by
// unit tests of all code that talks to the API server. Not thread-safe.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "net/http_transport.h"

namespace kem {

struct ScriptedAnswer {
  HttpHead head{200, {}, {}};  // status 0: no head
  std::vector<std::string> pieces = {};
  HttpEnd end = HttpEnd::kComplete;
  std::string message = {};
};

class ScriptedTransport : public HttpTransport {
 public:
  HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                   std::stop_token stop) override {
    requests.push_back(request);
    if (stop.stop_requested()) return {HttpEnd::kStopped, "stopped"};
    if (answers.empty()) return {HttpEnd::kUnreachable, "the script is over"};
    const ScriptedAnswer answer = std::move(answers.front());
    answers.pop_front();
    if (answer.head.status != 0 && !handler.OnHead(answer.head)) {
      return {HttpEnd::kAborted, "aborted"};
    }
    for (const std::string& piece : answer.pieces) {
      if (!handler.OnBody(piece)) return {HttpEnd::kAborted, "aborted"};
    }
    return {answer.end, answer.message};
  }

  std::deque<ScriptedAnswer> answers;
  std::vector<HttpRequest> requests;
};

// For code that owns its transport: passes requests on to the test's, which
// must outlive it.
class BorrowedTransport : public HttpTransport {
 public:
  explicit BorrowedTransport(HttpTransport& lender) : lender_(lender) {}

  HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                   std::stop_token stop) override {
    return lender_.Send(request, handler, std::move(stop));
  }

 private:
  HttpTransport& lender_;
};

}  // namespace kem
