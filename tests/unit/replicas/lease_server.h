// A fake API server with one Lease: it refuses a write that does not know the
// last version, as the real one does. Used by the tests of replicas/. Serves
// nothing else.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "net/http_transport.h"

namespace kem {

class LeaseServer : public HttpTransport {
 public:
  HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                   std::stop_token stop) override {
    requests.push_back(request.method + " " + request.path);
    limits.push_back(request.deadline);
    if (stop.stop_requested()) return {HttpEnd::kStopped, "stopped"};
    on_request();
    if (down) return {HttpEnd::kUnreachable, "refused"};
    int status = forced;
    if (status == 0) status = Apply(request);
    if (!handler.OnHead({status, {}, {}})) return {HttpEnd::kAborted, ""};
    handler.OnBody(status / 100 == 2 ? (answer.empty() ? lease.dump() : answer)
                                     : "{}");
    return {HttpEnd::kComplete, ""};
  }
  // Someone else changes it.
  void Touch() {
    lease["metadata"]["resourceVersion"] = std::to_string(++version_);
  }
  std::string holder() const { return lease["spec"]["holderIdentity"]; }

  nlohmann::json lease;  // null for none
  std::vector<std::string> requests;
  std::vector<std::chrono::milliseconds> limits;
  std::function<void()> on_request = [] {};
  bool down = false;
  int forced = 0;      // a status
  std::string answer;  // in place of the Lease

 private:
  int Apply(const HttpRequest& request) {
    if (request.method == "GET") return lease.is_null() ? 404 : 200;
    nlohmann::json wanted = nlohmann::json::parse(request.body);
    if (request.method == "POST") {
      if (!lease.is_null()) return 409;
    } else if (lease.is_null()) {
      return 404;
    } else if (wanted["metadata"]["resourceVersion"] !=
               lease["metadata"]["resourceVersion"]) {
      return 409;
    }
    lease = std::move(wanted);
    Touch();
    return 200;
  }

  int version_ = 100;
};

}  // namespace kem
