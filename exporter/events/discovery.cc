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
  // Requests and parses one document. `what` names it in errors.
  const auto fetch = [&](const std::string& what, const std::string& path,
                         const auto& parse) {
    const Result<std::string> body = Get(path, end, stop);
    auto parsed = body ? parse(*body) : decltype(parse(*body))(body.error());
    if (!parsed) {
      const Error error = parsed.error().WithPrefix(what);
      if (!first_error) first_error = error;
      all.skipped.push_back(error.message);
    }
    return parsed;
  };
  const auto add = [](auto& to, auto from) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
  };
  for (const char* path : {"/api", "/apis"}) {
    Result<DiscoveryRoot> root = fetch(path, path, ParseDiscoveryRoot);
    if (!root) continue;
    add(all.kinds, std::move(root->found.kinds));
    add(all.skipped, std::move(root->found.skipped));
    add(walk, std::move(root->walk));
  }
  for (const std::string& group_version : walk) {
    const bool core = group_version.find('/') == std::string::npos;
    const auto parse = [&](const std::string& body) {
      return ParseResourceList(body, group_version);
    };
    Result<ApiKinds> found = fetch(
        group_version, (core ? "/api/" : "/apis/") + group_version, parse);
    if (!found) continue;
    add(all.kinds, std::move(found->kinds));
    add(all.skipped, std::move(found->skipped));
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
