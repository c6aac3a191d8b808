#include "events/discovery.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "apiserver/api_status.h"

namespace kem {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// Aggregated discovery, otherwise the unaggregated kind. The API server
// requires this order of parameters (client-go discovery_client.go).
constexpr const char* kAccept =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json";

class BodyCollector : public HttpHandler {
 public:
  bool OnHead(const HttpHead& head) override {
    status = head.status;
    return status == 200;
  }
  bool OnBody(std::string_view bytes) override {
    too_large = body.size() + bytes.size() > Discovery::kBodyLimit;
    if (!too_large) body.append(bytes);
    return !too_large;
  }

  int status = 0;
  std::string body;
  bool too_large = false;
};

}  // namespace

Discovery::Discovery(HttpTransport& transport, const Clock& clock)
    : transport_(transport), clock_(clock) {}

Result<ApiKinds> Discovery::Fetch(const std::stop_token& stop) const {
  const SteadyTime end = clock_.SteadyNow() + kTimeLimit;
  ApiKinds all;
  std::vector<std::string> walk;
  std::optional<Error> first_error;
  const auto skip = [&](const std::string& what, const Error& error) {
    if (!first_error) first_error = error.WithPrefix(what);
    all.skipped.push_back(error.WithPrefix(what).message);
  };
  const auto add = [&](ApiKinds found) {
    std::move(found.kinds.begin(), found.kinds.end(),
              std::back_inserter(all.kinds));
    std::move(found.skipped.begin(), found.skipped.end(),
              std::back_inserter(all.skipped));
  };
  for (const char* path : {"/api", "/apis"}) {
    const Result<std::string> body = Get(path, end, stop);
    Result<DiscoveryRoot> root =
        body ? ParseDiscoveryRoot(*body) : Result<DiscoveryRoot>(body.error());
    if (!root) {
      skip(path, root.error());
      continue;
    }
    add(std::move(root->found));
    std::move(root->walk.begin(), root->walk.end(), std::back_inserter(walk));
  }
  for (const std::string& group_version : walk) {
    const bool core = group_version.find('/') == std::string::npos;
    const Result<std::string> body =
        Get((core ? "/api/" : "/apis/") + group_version, end, stop);
    Result<ApiKinds> found = body ? ParseResourceList(*body, group_version)
                                  : Result<ApiKinds>(body.error());
    if (found) {
      add(std::move(*found));
    } else {
      skip(group_version, found.error());
    }
  }
  if (stop.stop_requested()) return Error{ErrorCode::kCancelled, "stopped"};
  if (all.kinds.empty()) {
    return first_error.value_or(
        Error{ErrorCode::kMalformed, "the API server lists no kinds"});
  }
  return all;
}

Result<std::string> Discovery::Get(const std::string& path, SteadyTime end,
                                   const std::stop_token& stop) const {
  const auto left = duration_cast<milliseconds>(end - clock_.SteadyNow());
  if (stop.stop_requested()) return Error{ErrorCode::kCancelled, "stopped"};
  if (left <= milliseconds(0)) {
    return Error{ErrorCode::kUnavailable, "no time left"};
  }
  HttpRequest request;
  request.path = path;
  request.accept = kAccept;
  request.read_timeout = left;
  request.deadline = left;
  BodyCollector collector;
  const HttpOutcome outcome = transport_.Send(request, collector, stop);
  if (collector.too_large) {
    return Error{ErrorCode::kTooLarge, "the response is too large"};
  }
  if (collector.status != 0 && collector.status != 200) {
    return Error{ToErrorCode(collector.status, ApiStatus()),
                 "HTTP status " + std::to_string(collector.status)};
  }
  if (outcome.end != HttpEnd::kComplete) {
    return Error{ErrorCode::kUnavailable, outcome.message};
  }
  return std::move(collector.body);
}

}  // namespace kem
