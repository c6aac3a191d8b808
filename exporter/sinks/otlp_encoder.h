// The bodies of OTLP/HTTP, logs signal: requests of one sink and the answers to
// them, as protobuf or JSON (github.com/open-telemetry/opentelemetry-proto
// v1.10, opentelemetry/proto/{logs,collector/logs}/v1, docs/specification.md).
// Used by OtlpSink. Knows neither HTTP nor compression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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

// One of the two encodings. Its texts are parts of one message that
// OtlpRequests assembles.
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
                              std::string& out) = 0;
  virtual void AppendRecord(const Occurrence& occurrence, std::string& out) = 0;
  // Appends the whole request.
  virtual void AppendRequest(std::span<const Group> groups,
                             std::string& out) = 0;

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

// Groups the records of a batch by resource and makes requests of them. Keeps
// its memory for the next batch, at most a few MiB. Not thread-safe.
class OtlpRequests {
 public:
  explicit OtlpRequests(std::unique_ptr<OtlpEncoder> encoder);

  // The request for a batch: resources in the order of their first record, and
  // the records of each in the batch's order. Valid until the next call.
  const std::string& Make(std::span<const Occurrence> batch);
  const OtlpEncoder& encoder() const { return *encoder_; }

 private:
  OtlpEncoder::Group& GroupOf(const Occurrence& occurrence);

  const std::unique_ptr<OtlpEncoder> encoder_;
  std::vector<OtlpEncoder::Group> groups_;  // the first `used_` of this batch
  size_t used_ = 0;
  std::unordered_map<std::string, size_t> places_;  // by resource, in groups_
  std::string resource_;
  std::string request_;
};

}  // namespace kem
