#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/ascii.h"
#include "base/json_member.h"
#include "base/json_text.h"
#include "sinks/otlp_encoder.h"

namespace kem {
namespace {

using nlohmann::ordered_json;

// Protobuf's JSON has 64-bit integers as strings.
template <typename Integer>
ordered_json Number(Integer value) {
  return std::to_string(value);
}

ordered_json Text(std::string_view text) { return {{"stringValue", text}}; }

ordered_json Attribute(std::string_view key, FieldValue value) {
  const auto* number = std::get_if<int64_t>(&value);
  return {{"key", key},
          {"value", number == nullptr
                        ? Text(std::get<std::string_view>(value))
                        : ordered_json{{"intValue", Number(*number)}}}};
}

// Appends the elements of a list; each has a comma after it.
void Append(const ordered_json& element, std::string& out) {
  out += JsonText(element) + ',';
}

// The list of such elements.
std::string List(const std::string& elements) {
  return '[' +
         elements.substr(0, elements.size() - (elements.empty() ? 0 : 1)) + ']';
}

class JsonEncoder : public OtlpEncoder {
 public:
  explicit JsonEncoder(const RecordConstants& constants)
      : labels_(constants.labels) {
    for (const auto& [key, value] : constants.resource) {
      Append(Attribute(key, value), resource_);
    }
  }

  std::string_view content_type() const override { return "application/json"; }

  void AppendResource(const Occurrence& occurrence,
                      std::string& out) const override {
    ForEachResourceField(occurrence,
                         [&](std::string_view key, FieldValue value) {
                           Append(Attribute(key, value), out);
                         });
  }

  void AppendRecord(const Occurrence& occurrence,
                    std::string& out) const override {
    ordered_json attributes = ordered_json::array();
    ForEachLogField(occurrence, [&](std::string_view key, FieldValue value) {
      attributes.push_back(Attribute(key, value));
    });
    for (const auto& [key, value] : labels_) {
      attributes.push_back(Attribute(key, value));
    }
    const LogSeverity severity = SeverityOf(occurrence);
    const ordered_json time = Number(UnixNanoseconds(occurrence.occurred_at));
    ordered_json record;
    record["timeUnixNano"] = time;
    record["observedTimeUnixNano"] = time;
    record["severityNumber"] = severity.number;
    record["severityText"] = severity.text;
    record["eventName"] = kEventName;
    record["body"] = Text(occurrence.message);
    record["attributes"] = std::move(attributes);
    Append(record, out);
  }

  std::string Request(std::span<const Group> groups) const override {
    std::string logs;
    for (const Group& group : groups) {
      logs += R"({"resource":{"attributes":)" +
              List(resource_ + group.resource) + R"(},"scopeLogs":[{"scope":)" +
              JsonText(ordered_json{{"name", kServiceName}}) +
              R"(,"logRecords":)" + List(group.records) + "}]},";
    }
    return R"({"resourceLogs":)" + List(logs) + '}';
  }

  OtlpAnswer Read(std::string_view body, bool success) const override {
    const nlohmann::json answer = nlohmann::json::parse(body, nullptr, false);
    return success
               ? Answer(MemberAt(answer, "/partialSuccess"), "/errorMessage")
               : Answer(answer, "/message");
  }

 private:
  static OtlpAnswer Answer(const nlohmann::json& object, const char* message) {
    OtlpAnswer answer;
    const nlohmann::json& rejected = MemberAt(object, "/rejectedLogRecords");
    if (rejected.is_number_unsigned()) {
      answer.rejected = rejected.get<uint64_t>();
    } else if (rejected.is_string()) {
      answer.rejected =
          ParseNumber<uint64_t>(rejected.get<std::string>()).value_or(0);
    }
    answer.message = TextAt(object, message);
    return answer;
  }

  const Attributes labels_;
  std::string resource_;
};

}  // namespace

std::unique_ptr<OtlpEncoder> MakeJsonEncoder(const RecordConstants& constants) {
  return std::make_unique<JsonEncoder>(constants);
}

}  // namespace kem
