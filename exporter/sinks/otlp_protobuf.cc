#include <algorithm>
#include <array>
#include <exception>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "base/utf8.h"
#include "sinks/otlp_encoder.h"

namespace kem {
namespace {

using protozero::pbf_reader;
using protozero::pbf_tag_type;
using protozero::pbf_writer;

// Field numbers. ExportLogsServiceRequest:
constexpr pbf_tag_type kResourceLogs = 1;
// ResourceLogs:
constexpr pbf_tag_type kResource = 1;
constexpr pbf_tag_type kScopeLogs = 2;
// Resource:
constexpr pbf_tag_type kResourceAttributes = 1;
// ScopeLogs:
constexpr pbf_tag_type kScope = 1;
constexpr pbf_tag_type kLogRecords = 2;
// InstrumentationScope:
constexpr pbf_tag_type kScopeName = 1;
// LogRecord:
constexpr pbf_tag_type kTime = 1;
constexpr pbf_tag_type kSeverityNumber = 2;
constexpr pbf_tag_type kSeverityText = 3;
constexpr pbf_tag_type kBody = 5;
constexpr pbf_tag_type kAttributes = 6;
constexpr pbf_tag_type kObservedTime = 11;
constexpr pbf_tag_type kName = 12;
// KeyValue:
constexpr pbf_tag_type kKey = 1;
constexpr pbf_tag_type kValue = 2;
// AnyValue:
constexpr pbf_tag_type kStringValue = 1;
constexpr pbf_tag_type kIntValue = 3;
// ExportLogsServiceResponse:
constexpr pbf_tag_type kPartialSuccess = 1;
// ExportLogsPartialSuccess:
constexpr pbf_tag_type kRejected = 1;
constexpr pbf_tag_type kErrorMessage = 2;
// google.rpc.Status, the body of a failure:
constexpr pbf_tag_type kStatusMessage = 2;

// Bytes of a field with a length, whose number is below 16.
size_t SizeOf(size_t content) {
  return 1 + static_cast<size_t>(protozero::length_of_varint(content)) +
         content;
}

// Begins a field of `size` bytes, which the caller appends. A pbf_writer that
// knows the size takes only one such field (protozero 1.7.1 leaves m_pos set).
void Begin(std::string& out, pbf_tag_type tag, size_t size) {
  constexpr size_t kVarint = protozero::max_varint_length;
  std::array<char, 2 * kVarint> bytes;
  int used = protozero::add_varint_to_buffer(
      bytes.data(),
      protozero::tag_and_type(tag, protozero::pbf_wire_type::length_delimited));
  used += protozero::add_varint_to_buffer(bytes.data() + used, size);
  out.append(bytes.data(), static_cast<size_t>(used));
}

void AddText(std::string& out, pbf_tag_type tag, std::string_view text) {
  Begin(out, tag, text.size());
  out += text;
}

// Appends a KeyValue. Sizes are computed first, so that no byte is moved.
void AddAttribute(std::string& out, pbf_tag_type tag, std::string_view key,
                  FieldValue value) {
  const auto begin = [&](size_t any_value) {
    Begin(out, tag, SizeOf(key.size()) + SizeOf(any_value));
    AddText(out, kKey, key);
    Begin(out, kValue, any_value);
  };
  if (const auto* number = std::get_if<int64_t>(&value)) {
    const auto bits = static_cast<uint64_t>(*number);
    begin(1 + static_cast<size_t>(protozero::length_of_varint(bits)));
    pbf_writer(out).add_int64(kIntValue, *number);
    return;
  }
  std::string buffer;
  const std::string_view text =
      ValidUtf8(std::get<std::string_view>(value), buffer);
  begin(SizeOf(text.size()));
  AddText(out, kStringValue, text);
}

std::string Encode(const Attributes& attributes, pbf_tag_type tag) {
  std::string bytes;
  for (const auto& [key, value] : attributes) {
    AddAttribute(bytes, tag, key, value);
  }
  return bytes;
}

class ProtobufEncoder : public OtlpEncoder {
 public:
  explicit ProtobufEncoder(const RecordConstants& constants)
      : resource_(Encode(constants.resource, kResourceAttributes)),
        labels_(Encode(constants.labels, kAttributes)) {
    Begin(scope_, kScope, SizeOf(kServiceName.size()));
    AddText(scope_, kScopeName, kServiceName);
  }

  std::string_view content_type() const override {
    return "application/x-protobuf";
  }

  void AppendResource(const Occurrence& occurrence,
                      std::string& out) const override {
    ForEachResourceField(occurrence,
                         [&](std::string_view key, FieldValue value) {
                           AddAttribute(out, kResourceAttributes, key, value);
                         });
  }

  void AppendRecord(const Occurrence& occurrence,
                    std::string& out) const override {
    pbf_writer scope_logs(out);
    pbf_writer record(scope_logs, kLogRecords);
    const uint64_t time = UnixNanoseconds(occurrence.occurred_at);
    record.add_fixed64(kTime, time);
    record.add_fixed64(kObservedTime, time);
    const LogSeverity severity = SeverityOf(occurrence);
    record.add_enum(kSeverityNumber, severity.number);
    std::string buffer;
    AddText(out, kSeverityText, ValidUtf8(severity.text, buffer));
    AddText(out, kName, kEventName);
    const std::string_view body = ValidUtf8(occurrence.message, buffer);
    Begin(out, kBody, SizeOf(body.size()));
    AddText(out, kStringValue, body);
    ForEachLogField(occurrence, [&](std::string_view key, FieldValue value) {
      AddAttribute(out, kAttributes, key, value);
    });
    out += labels_;
  }

  std::string Request(std::span<const Group> groups) const override {
    std::string out;
    for (const Group& group : groups) {
      const size_t resource = resource_.size() + group.resource.size();
      const size_t scope_logs = scope_.size() + group.records.size();
      Begin(out, kResourceLogs, SizeOf(resource) + SizeOf(scope_logs));
      Begin(out, kResource, resource);
      out.append(resource_).append(group.resource);
      Begin(out, kScopeLogs, scope_logs);
      out.append(scope_).append(group.records);
    }
    return out;
  }

  OtlpAnswer Read(std::string_view body, bool success) const override {
    OtlpAnswer answer;
    try {
      if (success) {
        ReadSuccess(body, answer);
      } else {
        ReadStatus(body, answer);
      }
    } catch (const std::exception&) {
      // Not protobuf, or only up to here.
    }
    return answer;
  }

 private:
  static void ReadSuccess(std::string_view body, OtlpAnswer& answer) {
    pbf_reader response(body.data(), body.size());
    while (response.next(kPartialSuccess, kBytes)) {
      pbf_reader partial = response.get_message();
      while (partial.next()) {
        if (partial.tag_and_type() == kRejectedField) {
          answer.rejected =
              static_cast<uint64_t>(std::max<int64_t>(partial.get_int64(), 0));
        } else if (partial.tag_and_type() == kErrorMessageField) {
          answer.message = partial.get_string();
        } else {
          partial.skip();
        }
      }
    }
  }

  static void ReadStatus(std::string_view body, OtlpAnswer& answer) {
    pbf_reader status(body.data(), body.size());
    while (status.next(kStatusMessage, kBytes)) {
      answer.message = status.get_string();
    }
  }

  static constexpr auto kBytes = protozero::pbf_wire_type::length_delimited;
  static constexpr uint32_t kRejectedField =
      protozero::tag_and_type(kRejected, protozero::pbf_wire_type::varint);
  static constexpr uint32_t kErrorMessageField =
      protozero::tag_and_type(kErrorMessage, kBytes);

  // Encoded once: constants of the resource, of the scope and of each record.
  const std::string resource_;
  const std::string labels_;
  std::string scope_;
};

}  // namespace

std::unique_ptr<OtlpEncoder> MakeProtobufEncoder(
    const RecordConstants& constants) {
  return std::make_unique<ProtobufEncoder>(constants);
}

}  // namespace kem
