#include "events/discovery.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "apiserver/api_status.h"

namespace kem {
namespace {

using nlohmann::json;
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

// Most of a document is something else (verbs, categories) and is dropped while
// parsing.
constexpr std::array<std::string_view, 13> kKeys = {
    "kind",         "items",      "metadata",  "name",     "versions",
    "version",      "freshness",  "resources", "resource", "scope",
    "responseKind", "namespaced", "groups"};

std::optional<json> Parse(std::string_view text) {
  const auto wanted = [](int, json::parse_event_t event, const json& value) {
    if (event != json::parse_event_t::key) return true;
    const std::string* key = value.get_ptr<const std::string*>();
    return key != nullptr &&
           std::find(kKeys.begin(), kKeys.end(), *key) != kKeys.end();
  };
  json document = json::parse(text, wanted, /*allow_exceptions=*/false);
  if (!document.is_object()) return std::nullopt;
  return document;
}

// The null value when the member is absent or `object` is not an object.
const json& Member(const json& object, const char* key) {
  static const json null;
  if (!object.is_object()) return null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

std::string Text(const json& object, const char* key) {
  const auto* text = Member(object, key).get_ptr<const std::string*>();
  return text == nullptr ? std::string() : *text;
}

const json& Elements(const json& object, const char* key) {
  static const json none = json::array();
  const json& member = Member(object, key);
  return member.is_array() ? member : none;
}

// Whether a name can be part of a path.
bool IsPlainName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  });
}

std::string PlainName(const std::string& name) {
  return IsPlainName(name) ? name : "";
}

std::string GroupVersion(const std::string& group, const std::string& version) {
  return group.empty() ? version : group + "/" + version;
}

// An item of APIGroupDiscoveryList. API servers leave the responseKind's group
// and version empty, so the enclosing ones are used.
void ReadAggregatedGroup(const json& group, ApiKinds& out) {
  const std::string name = Text(Member(group, "metadata"), "name");
  for (const json& version : Elements(group, "versions")) {
    const std::string api_version =
        GroupVersion(name, Text(version, "version"));
    if (Text(version, "freshness") == "Stale") {
      out.skipped.push_back(api_version + " is stale");
      continue;
    }
    for (const json& resource : Elements(version, "resources")) {
      const std::string kind = Text(Member(resource, "responseKind"), "kind");
      const std::string scope = Text(resource, "scope");
      const bool namespaced = scope == "Namespaced";
      const std::string plural = Text(resource, "resource");
      if (kind.empty() || (!namespaced && scope != "Cluster") ||
          plural.find('/') != std::string::npos) {
        continue;
      }
      out.kinds.push_back({api_version, kind, namespaced, PlainName(plural)});
    }
  }
}

std::vector<std::string> ReadGroupList(const json& document) {
  std::vector<std::pair<size_t, std::string>> ranked;
  for (const json& group : Elements(document, "groups")) {
    const std::string name = Text(group, "name");
    size_t rank = 0;
    for (const json& version : Elements(group, "versions")) {
      const std::string number = Text(version, "version");
      if (!IsPlainName(name) || !IsPlainName(number)) continue;
      ranked.emplace_back(rank++, GroupVersion(name, number));
    }
  }
  // All preferred versions first, in case the time runs out.
  std::stable_sort(
      ranked.begin(), ranked.end(),
      [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> walk;
  walk.reserve(ranked.size());
  for (auto& entry : ranked) walk.push_back(std::move(entry.second));
  return walk;
}

}  // namespace

Result<DiscoveryRoot> ParseDiscoveryRoot(std::string_view text) {
  const std::optional<json> document = Parse(text);
  if (!document) return Error{ErrorCode::kMalformed, "not a JSON object"};
  const std::string kind = Text(*document, "kind");
  DiscoveryRoot root;
  if (kind == "APIGroupDiscoveryList") {
    for (const json& group : Elements(*document, "items")) {
      ReadAggregatedGroup(group, root.found);
    }
  } else if (kind == "APIGroupList") {
    root.walk = ReadGroupList(*document);
  } else if (kind == "APIVersions") {
    for (const json& version : Elements(*document, "versions")) {
      const auto* number = version.get_ptr<const std::string*>();
      if (number != nullptr && IsPlainName(*number)) {
        root.walk.push_back(*number);
      }
    }
  } else {
    return Error{ErrorCode::kMalformed, "not a discovery document"};
  }
  return root;
}

Result<ApiKinds> ParseResourceList(std::string_view text,
                                   std::string_view group_version) {
  const std::optional<json> document = Parse(text);
  if (!document || Text(*document, "kind") != "APIResourceList") {
    return Error{ErrorCode::kMalformed, "not an APIResourceList"};
  }
  ApiKinds out;
  for (const json& resource : Elements(*document, "resources")) {
    const std::string kind = Text(resource, "kind");
    const auto* namespaced =
        Member(resource, "namespaced").get_ptr<const bool*>();
    const std::string plural = Text(resource, "name");
    if (kind.empty() || namespaced == nullptr ||
        plural.find('/') != std::string::npos) {
      continue;
    }
    out.kinds.push_back(
        {std::string(group_version), kind, *namespaced, PlainName(plural)});
  }
  return out;
}

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
