#include "sinks/mirror_sink.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>

#include "apiserver/resource_version.h"
#include "base/ascii.h"
#include "base/encoding.h"
#include "base/hash.h"
#include "base/json_member.h"
#include "base/json_text.h"
#include "base/rfc3339.h"
#include "events/event.h"

namespace kem {
namespace {

using nlohmann::ordered_json;
using Verdict = ApiAnswer::Verdict;

// A DNS-1123 subdomain's length (k8s.io/apimachinery
// pkg/util/validation/validation.go).
constexpr size_t kMaxName = 253;
// JSON may write each byte of a text as six.
constexpr size_t kMaxMirror = size_t{1} << 20;
constexpr size_t kHashDigits = 16;
constexpr char kOriginal[] = "kube-event-metrics/original";
// Each further one means that another writer came between.
constexpr int kMaxRounds = 4;

// `text` as a DNS-1123 subdomain, which may be empty. core/v1 accepts every
// Event name that is a path segment (k8s.io/apiserver v0.37.2
// pkg/registry/rest/create.go:159).
std::string Subdomain(std::string_view text) {
  std::string name;
  const auto trim = [&name](std::string_view ends) {
    while (!name.empty() && ends.find(name.back()) != std::string_view::npos) {
      name.pop_back();
    }
  };
  for (const char c : AsciiLower(text)) {
    if (IsAsciiAlphanumeric(c)) {
      name += c;
    } else if (c == '.') {
      trim("-.");
      if (!name.empty()) name += '.';
    } else if (!name.empty() && name.back() != '.') {
      name += '-';
    }
  }
  trim("-.");
  return name;
}

ordered_json OriginalReference(const Occurrence& occurrence) {
  ordered_json reference = ordered_json::object();
  const auto add = [&](const char* key, std::string_view value) {
    if (!value.empty()) reference[key] = value;
  };
  add("apiVersion", occurrence.api_version);
  add("kind", occurrence.kind);
  add("namespace", occurrence.object_namespace);
  add("name", occurrence.object_name);
  add("uid", occurrence.object_uid);
  add("resourceVersion", occurrence.object_version);
  add("fieldPath", occurrence.field_path);
  return reference;
}

// The mirror as the API server has it. Members that are missing or damaged are
// the oldest possible, so that it is repaired.
struct Mirror {
  std::string resource_version;
  std::string uid;  // of the original, as are the others
  uint64_t version = 0;
  uint64_t count = 0;
  WallTime last_seen = WallTime::min();
};

// Empty unless it is an object of the API server.
std::optional<Mirror> ParseMirror(const std::string& body) {
  const auto object = nlohmann::json::parse(body, nullptr, false);
  Mirror mirror;
  mirror.resource_version = TextAt(object, "/metadata/resourceVersion");
  if (mirror.resource_version.empty()) return std::nullopt;
  const auto original = nlohmann::json::parse(
      TextAt(object, "/metadata/annotations/kube-event-metrics~1original"),
      nullptr, false);
  mirror.uid = TextAt(original, "/uid");
  mirror.version =
      ParseResourceVersion(TextAt(original, "/resourceVersion")).value_or(0);
  const nlohmann::json& count = MemberAt(object, "/count");
  if (count.is_number_unsigned()) mirror.count = count.get<uint64_t>();
  mirror.last_seen =
      ParseRfc3339(TextAt(object, "/lastTimestamp")).value_or(WallTime::min());
  return mirror;
}

// A count falls only when the original's writer was restarted; then version and
// time are both newer, and a higher count with both older is that of before. A
// version alone proves nothing, because a restore of etcd takes versions back
// (event_tracker.cc counts by the same rule). The time of a mirror has whole
// seconds.
bool IsNewer(const Occurrence& occurrence, const Mirror& mirror) {
  if (mirror.uid != occurrence.uid) return true;
  const auto seen =
      std::chrono::floor<std::chrono::seconds>(occurrence.occurred_at);
  if (occurrence.count > mirror.count) {
    return occurrence.resource_version >= mirror.version ||
           seen >= mirror.last_seen;
  }
  return occurrence.resource_version > mirror.version &&
         seen > mirror.last_seen;
}

}  // namespace

std::string MirrorName(std::string_view name, std::string_view uid) {
  std::array<char, kHashDigits + 1> hash{};
  std::snprintf(hash.data(), hash.size(), "%016llx",
                static_cast<unsigned long long>(Checksum(uid, 0)));
  std::string mirror = Subdomain(name.substr(0, kMaxName - 1 - kHashDigits));
  if (!mirror.empty()) mirror += '.';
  return mirror + hash.data();
}

// Without eventTime the API server only requires that involvedObject.namespace
// equals metadata.namespace (k8s.io/kubernetes v1.37.2
// pkg/apis/core/validation/events.go:143-155). With it, lines 162-185 limit the
// message to 1024 bytes, and 49-69 do so for events.k8s.io/v1. Updates may
// change all fields (75-79). Empty texts are written too, so that a patch
// removes what the original no longer has.
//
// involvedObject has no uid: kubectl describe finds an object's Events by uid
// in all namespaces, and would show the mirror beside the original.
std::string MirrorBody(const Occurrence& occurrence,
                       std::string_view target_namespace,
                       std::string_view replaced_version) {
  const ordered_json reference = OriginalReference(occurrence);
  const ordered_json original = {
      {"namespace", occurrence.event_namespace},
      {"name", occurrence.name},
      {"uid", occurrence.uid},
      {"resourceVersion", std::to_string(occurrence.resource_version)},
      {"involvedObject", reference}};
  ordered_json body;
  body["apiVersion"] = "v1";
  body["kind"] = "Event";
  body["metadata"] = {{"name", MirrorName(occurrence.name, occurrence.uid)},
                      {"namespace", target_namespace},
                      {"annotations", {{kOriginal, JsonText(original)}}}};
  if (!replaced_version.empty()) {
    body["metadata"]["resourceVersion"] = replaced_version;
  }
  body["involvedObject"] = {{"apiVersion", occurrence.api_version},
                            {"kind", occurrence.kind},
                            {"name", occurrence.object_name},
                            {"namespace", target_namespace}};
  body["related"] = reference;
  body["reason"] = occurrence.reason;
  body["type"] = occurrence.type;
  body["message"] = occurrence.message;
  body["action"] = occurrence.action;
  body["count"] = occurrence.count;
  body["firstTimestamp"] = FormatRfc3339Seconds(occurrence.first_seen);
  body["lastTimestamp"] = FormatRfc3339Seconds(occurrence.occurred_at);
  body["source"] = {{"component", occurrence.reporting_component},
                    {"host", occurrence.host}};
  body["reportingComponent"] = kMirrorComponent;
  return JsonText(body);
}

Delivery MirrorSink::Deliver(std::span<const Occurrence> batch,
                             const std::stop_token& stop) {
  // The last occurrence of each Event has its count.
  std::unordered_map<std::string_view, size_t> last;
  for (size_t i = 0; i < batch.size(); ++i) last[batch[i].uid] = i;
  Delivery delivery;
  for (size_t i = 0; i < batch.size(); ++i, ++delivery.done) {
    const Occurrence& occurrence = batch[i];
    if (last.at(occurrence.uid) != i) continue;
    if (occurrence.event_namespace == target_) continue;
    if (stop.stop_requested()) return delivery;
    ApiAnswer answer = Write(occurrence, stop);
    if (answer.verdict == Verdict::kDone) continue;
    // The stop ended the request, not the API server.
    if (stop.stop_requested()) return delivery;
    if (answer.verdict != Verdict::kRefused) {
      delivery.rest =
          Delivery::Failure{std::move(answer.problem), answer.retry_after};
      return delivery;
    }
    delivery.refusal = std::move(answer.problem);
    ++delivery.refused;
  }
  return delivery;
}

// A new Event has no mirror, unless another replica was faster. A patch of a
// missing Event returns 404 although an update may create one (k8s.io/apiserver
// v0.37.2 pkg/endpoints/handlers/patch.go:387). An Event that expired or was
// deleted is therefore created again, with its whole count.
ApiAnswer MirrorSink::Write(const Occurrence& occurrence,
                            const std::stop_token& stop) {
  ApiAnswer answer;
  bool is_new = occurrence.count == occurrence.delta;
  for (int round = 0; round < kMaxRounds; ++round) {
    if (is_new) {
      answer = Create(occurrence, stop);
      if (answer.verdict != Verdict::kConflict) return answer;
    }
    answer = Update(occurrence, stop);
    is_new = answer.verdict == Verdict::kNotFound;
    if (!is_new && answer.verdict != Verdict::kConflict) return answer;
  }
  return answer;
}

ApiAnswer MirrorSink::Create(const Occurrence& occurrence,
                             const std::stop_token& stop) {
  return SendToApi(*transport_,
                   {.path = Collection(),
                    .body = MirrorBody(occurrence, target_),
                    .method = "POST"},
                   stop);
}

// The version makes the API server reject the patch, with 409, if another
// writer came after the read (k8s.io/apiserver v0.37.2
// pkg/registry/generic/registry/store.go, Update).
ApiAnswer MirrorSink::Update(const Occurrence& occurrence,
                             const std::stop_token& stop) {
  const std::string path =
      Collection() + "/" +
      PercentEncode(MirrorName(occurrence.name, occurrence.uid));
  ApiAnswer found = SendToApi(*transport_, {.path = path, .method = "GET"},
                              stop, {.max_body = kMaxMirror});
  if (found.verdict != Verdict::kDone) return found;
  const std::optional<Mirror> mirror = ParseMirror(found.body);
  if (!mirror) {
    return {.verdict = Verdict::kRefused,
            .problem = "GET " + path + ": the response is not an Event"};
  }
  if (!IsNewer(occurrence, *mirror)) return {.verdict = Verdict::kDone};
  return SendToApi(
      *transport_,
      {.path = path,
       .body = MirrorBody(occurrence, target_, mirror->resource_version),
       .method = "PATCH",
       .content_type = "application/merge-patch+json"},
      stop);
}

std::string MirrorSink::Collection() const {
  return "/api/v1/namespaces/" + PercentEncode(target_) + "/events";
}

}  // namespace kem
