#include "sinks/otlp_sink.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/gzip_stream.h"
#include "base/json_text.h"
#include "base/safe_text.h"
#include "net/header_line.h"
#include "sinks/record_fields.h"
#include "version.h"

namespace kem {
namespace {

using nlohmann::ordered_json;

constexpr std::chrono::seconds kTimeout{10};
constexpr size_t kLoggedBytes = 200;  // of an answer

// Protobuf's JSON has uint64 as a string.
std::string Nanoseconds(WallTime time) {
  return std::to_string(
      std::chrono::nanoseconds(time.time_since_epoch()).count());
}

ordered_json Attribute(std::string_view key, ordered_json value) {
  return {{"key", key}, {"value", std::move(value)}};
}

ordered_json Text(std::string_view text) { return {{"stringValue", text}}; }

// One record with its object as the resource, as in the collector's k8s_events
// receiver.
ordered_json ResourceLogs(const Occurrence& occurrence, WallTime now) {
  ordered_json object = ordered_json::array();
  object.push_back(Attribute("service.name", Text("kube-event-metrics")));
  ordered_json event = ordered_json::array();
  ForEachField(occurrence, [&](FieldOf of, std::string_view key,
                               FieldValue value) {
    const auto* number = std::get_if<int64_t>(&value);
    ordered_json json =
        number == nullptr ? Text(std::get<std::string_view>(value))
                          : ordered_json{{"intValue", std::to_string(*number)}};
    (of == FieldOf::kObject ? object : event)
        .push_back(Attribute(key, std::move(json)));
  });
  const LogSeverity severity = SeverityOf(occurrence);
  ordered_json record;
  record["timeUnixNano"] = Nanoseconds(occurrence.occurred_at);
  record["observedTimeUnixNano"] = Nanoseconds(now);
  record["severityNumber"] = severity.number;
  record["severityText"] = severity.text;
  record["body"] = Text(occurrence.message);
  record["attributes"] = std::move(event);
  return {{"resource", {{"attributes", std::move(object)}}},
          {"scopeLogs",
           {{{"scope", {{"name", "kube-event-metrics"}, {"version", kVersion}}},
             {"logRecords", {std::move(record)}}}}}};
}

// The number of records that the collector rejected.
size_t Rejected(const std::string& body) {
  const nlohmann::json answer = nlohmann::json::parse(body, nullptr, false);
  const nlohmann::json::json_pointer at("/partialSuccess/rejectedLogRecords");
  if (!answer.is_object() || !answer.contains(at)) return 0;
  const nlohmann::json& rejected = answer.at(at);
  if (rejected.is_number_unsigned()) return rejected.get<size_t>();
  if (!rejected.is_string()) return 0;
  return std::strtoul(rejected.get<std::string>().c_str(), nullptr, 10);
}

// The collector will never accept this request.
bool IsFinal(int status) {
  return status == 400 || status == 413 || status == 415 || status == 422;
}

// Proxies return 413. The collector decompresses first and returns 400 with the
// text of net/http's MaxBytesError.
bool IsTooLarge(int status, std::string_view body) {
  return status == 413 ||
         (status == 400 &&
          body.find("request body too large") != std::string_view::npos);
}

// Headers that the transport or this sink sets; a second one would change the
// request or make it invalid.
bool IsReserved(std::string_view name) {
  constexpr std::string_view kReserved[] = {
      "connection",       "content-encoding", "content-length",
      "content-type",     "expect",           "host",
      "transfer-encoding"};
  return std::find(std::begin(kReserved), std::end(kReserved),
                   AsciiLower(name)) != std::end(kReserved);
}

}  // namespace

Result<HeaderFields> ParseHeaderFile(std::string_view text) {
  HeaderFields fields;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = Trim(TakeUntil(text, '\n'), " \t\r");
    if (line.empty() || line.front() == '#') continue;
    const std::optional<HeaderLine> header = SplitHeaderLine(line);
    const bool usable =
        header && !header->value.empty() &&
        std::all_of(header->value.begin(), header->value.end(),
                    [](char c) { return c == ' ' || IsVisibleAscii(c); });
    if (!usable) {
      return InvalidConfig(
          "line " + std::to_string(number) +
          " must be a header, such as \"X-Scope-OrgID: team\"");
    }
    fields.emplace_back(header->name, header->value);
    if (IsReserved(fields.back().first)) {
      return InvalidConfig("line " + std::to_string(number) + " must not set " +
                           fields.back().first + ", which the exporter sets");
    }
  }
  return fields;
}

// One record at a time: a JSON tree of all records costs twice as much.
std::string OtlpBody(std::span<const Occurrence> batch, WallTime now) {
  std::string body = R"({"resourceLogs":[)";
  for (const Occurrence& occurrence : batch) {
    if (&occurrence != &batch.front()) body += ',';
    body += JsonText(ResourceLogs(occurrence, now));
  }
  return body + "]}";
}

OtlpSink::OtlpSink(std::unique_ptr<HttpTransport> transport, Headers headers,
                   const Clock& clock, FileReader read)
    : transport_(std::move(transport)),
      headers_(std::move(headers)),
      clock_(clock),
      read_(std::move(read)) {}

Result<void> OtlpSink::AddHeaders(HttpRequest& request) const {
  if (headers_.file.empty()) return {};
  const auto refuse = [this](const std::string& why) {
    return InvalidConfig(headers_.file + " " + why);
  };
  const Result<std::optional<std::string>> text = read_(headers_.file);
  if (!text) return text.error();
  if (!text->has_value()) return refuse("does not exist");
  Result<HeaderFields> fields = ParseHeaderFile(**text);
  if (!fields) return refuse(fields.error().message);
  for (const auto& [name, value] : *fields) {
    if (!headers_.confidential && AsciiLower(name) == "authorization") {
      return refuse(
          "sets Authorization, which plain HTTP would expose; use an https:// "
          "endpoint");
    }
  }
  request.headers = std::move(*fields);
  return {};
}

Delivery OtlpSink::Deliver(std::span<const Occurrence> batch,
                           const std::stop_token& stop) {
  HttpRequest request;
  request.path = "/v1/logs";
  request.read_timeout = request.deadline = kTimeout;
  const Result<void> added = AddHeaders(request);
  if (!added) return {.rest = Delivery::Failure{added.error().message}};
  request.headers.emplace_back("Content-Encoding", "gzip");
  GzipStream().Append(OtlpBody(batch, clock_.WallNow()), true, request.body);
  WholeAnswer answer;
  const HttpOutcome outcome = transport_->Send(request, answer, stop);
  if (outcome.end != HttpEnd::kComplete) {
    return {.rest = Delivery::Failure{outcome.message}};
  }
  const int status = answer.head().status;
  if (status / 100 == 2) {
    max_batch_ = std::min(max_batch_ + 1, kMaxBatch);
    const size_t rejected = std::min(Rejected(answer.body()), batch.size());
    return {.done = batch.size(),
            .refused = rejected,
            .refusal = rejected == 0
                           ? ""
                           : "the collector rejected " +
                                 std::to_string(rejected) + " records"};
  }
  if (IsTooLarge(status, answer.body()) && batch.size() > 1) {
    max_batch_ = batch.size() / 2;
    return {.rest = Delivery::Hold{std::chrono::milliseconds(0)}};
  }
  std::string problem = "the collector returned " + std::to_string(status) +
                        " " + OneLine(answer.body().substr(0, kLoggedBytes));
  if (IsFinal(status)) {
    return {.done = batch.size(),
            .refused = batch.size(),
            .refusal = std::move(problem)};
  }
  return {.rest =
              Delivery::Failure{std::move(problem), answer.head().retry_after}};
}

}  // namespace kem
