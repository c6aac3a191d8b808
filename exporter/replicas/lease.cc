#include "replicas/lease.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "apiserver/api_writer.h"
#include "base/encoding.h"
#include "base/json_member.h"
#include "base/json_text.h"
#include "base/rfc3339.h"

namespace kem {
namespace {

using nlohmann::json;

constexpr std::string_view kMarkPrefix = "kube-event-metrics/";
// An object has at most 256 KiB of annotations (k8s.io/apimachinery
// pkg/api/validation/objectmeta.go).
constexpr size_t kMaxAnswer = size_t{1} << 20;

int64_t NumberAt(const json& object, const char* path) {
  const json& found = MemberAt(object, path);
  return found.is_number_integer() ? found.get<int64_t>() : 0;
}

json ObjectAt(const json& object, const char* path) {
  const json& found = MemberAt(object, path);
  return found.is_object() ? found : json::object();
}

// Empty for what is no Lease.
std::optional<LeaseRecord> RecordOf(const std::string& text) {
  const json lease = json::parse(text, nullptr, false);
  if (!lease.is_object()) return std::nullopt;
  if (TextAt(lease, "/metadata/resourceVersion").empty()) return std::nullopt;
  LeaseRecord record;
  record.holder = TextAt(lease, "/spec/holderIdentity");
  record.duration =
      std::chrono::seconds(NumberAt(lease, "/spec/leaseDurationSeconds"));
  record.acquired =
      ParseRfc3339(TextAt(lease, "/spec/acquireTime")).value_or(WallTime());
  record.renewed =
      ParseRfc3339(TextAt(lease, "/spec/renewTime")).value_or(WallTime());
  // The API server takes an int32; one more is written later.
  record.transitions = static_cast<uint32_t>(
      std::clamp<int64_t>(NumberAt(lease, "/spec/leaseTransitions"), 0,
                          std::numeric_limits<int32_t>::max() - 1));
  const json annotations = ObjectAt(lease, "/metadata/annotations");
  for (const auto& [key, value] : annotations.items()) {
    if (!key.starts_with(kMarkPrefix) || !value.is_string()) continue;
    record.marks[key.substr(kMarkPrefix.size())] = value.get<std::string>();
  }
  return record;
}

}  // namespace

std::string LeaseClient::Path() const {
  return "/apis/coordination.k8s.io/v1/namespaces/" +
         PercentEncode(name_.name_space) + "/leases";
}

LeaseClient::Result LeaseClient::Read(std::chrono::milliseconds limit,
                                      const std::stop_token& stop) {
  return Take(
      {.path = Path() + "/" + PercentEncode(name_.name), .method = "GET"},
      limit, stop);
}

LeaseClient::Result LeaseClient::Write(const LeaseRecord& record,
                                       std::chrono::milliseconds limit,
                                       const std::stop_token& stop) {
  const bool exists = !object_.empty();
  json lease = exists ? json::parse(object_, nullptr, false) : json::object();
  lease["apiVersion"] = "coordination.k8s.io/v1";
  lease["kind"] = "Lease";
  json metadata = ObjectAt(lease, "/metadata");
  metadata["name"] = name_.name;
  metadata["namespace"] = name_.name_space;
  json annotations = ObjectAt(metadata, "/annotations");
  for (const auto& [sink, mark] : record.marks) {
    annotations[std::string(kMarkPrefix) + sink] = mark;
  }
  metadata["annotations"] = std::move(annotations);
  lease["metadata"] = std::move(metadata);
  json spec = ObjectAt(lease, "/spec");
  spec["holderIdentity"] = record.holder;
  spec["leaseDurationSeconds"] = record.duration.count();
  spec["acquireTime"] = FormatRfc3339Micros(record.acquired);
  spec["renewTime"] = FormatRfc3339Micros(record.renewed);
  spec["leaseTransitions"] = record.transitions;
  lease["spec"] = std::move(spec);
  HttpRequest request{.path = Path(),
                      .body = JsonText(lease),
                      .method = exists ? "PUT" : "POST"};
  if (exists) request.path += "/" + PercentEncode(name_.name);
  return Take(std::move(request), limit, stop);
}

LeaseClient::Result LeaseClient::Take(HttpRequest request,
                                      std::chrono::milliseconds limit,
                                      const std::stop_token& stop) {
  const std::string what = request.method + " " + request.path;
  ApiAnswer answer =
      SendToApi(transport_, std::move(request), stop, {limit, kMaxAnswer});
  problem_ = std::move(answer.problem);
  switch (answer.verdict) {
    case ApiAnswer::Verdict::kDone:
      break;
    case ApiAnswer::Verdict::kNotFound:
      object_.clear();
      record_ = {};
      return Result::kNotFound;
    case ApiAnswer::Verdict::kConflict:
      return Result::kConflict;
    default:
      return Result::kFailed;
  }
  std::optional<LeaseRecord> record = RecordOf(answer.body);
  if (!record) {
    problem_ = what + ": the answer is no Lease";
    return Result::kFailed;
  }
  record_ = std::move(*record);
  object_ = std::move(answer.body);
  return Result::kDone;
}

}  // namespace kem
