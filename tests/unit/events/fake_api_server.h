// An HttpTransport with one response for each path, which records the requests.
// Used by the tests of discovery and scope. Only the fake clock passes time.
// Has no streams.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "net/http_transport.h"
#include "testing/fake_clock.h"

namespace kem {

class FakeApiServer : public HttpTransport {
 public:
  struct Answer {
    int status = 200;
    std::string body = {};
    // Advances the fake clock.
    std::chrono::seconds takes{0};
    HttpEnd end = HttpEnd::kComplete;
    std::string message = {};
  };

  explicit FakeApiServer(FakeClock& clock) : clock_(clock) {}

  HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                   std::stop_token stop) override {
    requests.push_back(request);
    if (during_get) during_get();
    if (stop.stop_requested()) return {HttpEnd::kStopped, "stopped"};
    const auto found = answers.find(request.path);
    const Answer answer = found == answers.end()
                              ? Answer{404, "404 page not found"}
                              : found->second;
    if (answer.takes >= request.deadline) {
      clock_.Advance(request.deadline);
      return {HttpEnd::kTimeout, "timed out"};
    }
    clock_.Advance(answer.takes);
    if (answer.end == HttpEnd::kUnreachable) {
      return {answer.end, answer.message};
    }
    if (!handler.OnHead({answer.status, {}, {}})) {
      return {HttpEnd::kAborted, "aborted"};
    }
    // In pieces, as from a network.
    for (size_t at = 0; at < answer.body.size(); at += kPiece) {
      if (!handler.OnBody(std::string_view(answer.body).substr(at, kPiece))) {
        return {HttpEnd::kAborted, "aborted"};
      }
    }
    return {answer.end, answer.message};
  }

  std::vector<std::string> Paths() const {
    std::vector<std::string> paths;
    for (const HttpRequest& request : requests) paths.push_back(request.path);
    return paths;
  }

  std::map<std::string, Answer> answers;
  std::vector<HttpRequest> requests;
  // Called at the start of each Get.
  std::function<void()> during_get;

 private:
  static constexpr size_t kPiece = 4096;

  FakeClock& clock_;
};

// A resource of an aggregated document.
inline std::string AggregatedResource(const std::string& kind,
                                      const std::string& scope) {
  return R"({"resource":"things","responseKind":{"group":"","version":"",)"
         R"("kind":")" +
         kind + R"("},"scope":")" + scope +
         R"(","singularResource":"thing","verbs":["get","list"]})";
}

// A group with one version of an aggregated document.
inline std::string AggregatedGroup(const std::string& name,
                                   const std::string& version,
                                   const std::string& resources) {
  return R"({"metadata":{"name":")" + name + R"(","creationTimestamp":null},)" +
         R"("versions":[{"version":")" + version +
         R"(","freshness":"Current","resources":[)" + resources + "]}]}";
}

inline std::string AggregatedDocument(const std::string& groups) {
  return R"({"kind":"APIGroupDiscoveryList",)"
         R"("apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[)" +
         groups + "]}";
}

}  // namespace kem
