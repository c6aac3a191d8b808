// The bodies of OTLP/HTTP, logs signal: requests of one sink and the answers to
// them, as protobuf or JSON (github.com/open-telemetry/opentelemetry-proto at
// ac2c4b5, opentelemetry/proto/{logs,collector/logs}/v1,
// docs/specification.md). Used by OtlpSink. Knows neither HTTP nor compression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sinks/record_fields.h"
#include "sinks/sink_config.h"

namespace kem {

// What a receiver answers, from untrusted bytes.
struct OtlpAnswer {
  // Of a success: records that it rejected.
  uint64_t rejected = 0;
  // Why, or the reason of a failure; empty if the answer has none.
  std::string message;
};

// One of the two encodings. Thread-safe.
class OtlpEncoder {
 public:
  virtual ~OtlpEncoder() = default;
  virtual std::string_view content_type() const = 0;

  // Records of one resource: its attributes and the records, as the two calls
  // below append them.
  struct Group {
    std::string resource;
    std::string records;
  };
  virtual void AppendResource(const Occurrence& occurrence,
                              std::string& out) const = 0;
  virtual void AppendRecord(const Occurrence& occurrence,
                            std::string& out) const = 0;
  virtual std::string Request(std::span<const Group> groups) const = 0;

  // `success`: of a 2xx status. Nothing throws.
  virtual OtlpAnswer Read(std::string_view body, bool success) const = 0;
};

std::unique_ptr<OtlpEncoder> MakeProtobufEncoder(
    const RecordConstants& constants);
std::unique_ptr<OtlpEncoder> MakeJsonEncoder(const RecordConstants& constants);
inline std::unique_ptr<OtlpEncoder> MakeOtlpEncoder(
    OtlpEncoding encoding, const RecordConstants& constants) {
  return encoding == OtlpEncoding::kJson ? MakeJsonEncoder(constants)
                                         : MakeProtobufEncoder(constants);
}

// The request for a batch, grouped by resource: resources in the order of their
// first record, and the records of each in the batch's order.
std::string OtlpRequest(const OtlpEncoder& encoder,
                        std::span<const Occurrence> batch);

}  // namespace kem
