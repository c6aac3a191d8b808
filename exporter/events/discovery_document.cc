#include "events/discovery_document.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace kem {
namespace {

using nlohmann::json;

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

}  // namespace kem
