// An HttpTransport that plays a script: the n-th request gets the n-th answer,
// whatever it asks for, and is remembered. Used by unit tests of all that talks
// to the API server. Past the script's end nothing answers (kUnreachable). Not
// thread-safe.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "net/http_transport.h"

namespace kem {

struct ScriptedAnswer {
  HttpHead head{200, {}, {}};  // status 0: no head comes
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

}  // namespace kem
