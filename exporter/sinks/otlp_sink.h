// The sink `otlp`: OTLP/HTTP with JSON, the logs signal, to any OpenTelemetry
// collector. One request a batch, compressed. What a collector can never take
// it refuses for good; everything else is tried again by SinkWorker. Where a
// request is too large the next ones are smaller. The protocol:
// github.com/open-telemetry/opentelemetry-proto, docs/specification.md.
//
// Owned by one worker's thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file_reader.h"
#include "base/result.h"
#include "net/http_transport.h"
#include "sinks/sink.h"

namespace kem {

class OtlpSink : public Sink {
 public:
  struct Headers {
    // Read again for each request; empty for none.
    std::string file;
    // Whether nobody can listen; else no Authorization is sent.
    bool confidential = true;
  };
  // `clock` must outlive this.
  OtlpSink(std::unique_ptr<HttpTransport> transport, Headers headers,
           const Clock& clock, FileReader read = DiskFiles());

  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token& stop) override;
  size_t max_batch() const override { return max_batch_; }

 private:
  static constexpr size_t kMaxBatch = 512;

  // Adds those of the file.
  Result<void> AddHeaders(HttpRequest& request) const;

  const std::unique_ptr<HttpTransport> transport_;
  const Headers headers_;
  const Clock& clock_;
  const FileReader read_;
  // Halved by each request that is too large, one more after each that is not:
  // the limits on the way are in bytes, and unknown.
  size_t max_batch_ = kMaxBatch;
};

// The request's body, an ExportLogsServiceRequest.
std::string OtlpBody(std::span<const Occurrence> batch, WallTime now);

// "Name: value" a line; empty lines and those that begin with # are left out.
// Refuses headers that say how the request is sent, such as Content-Length.
// The error is a clause with the line's number, and never with its value.
using HeaderFields = std::vector<std::pair<std::string, std::string>>;
Result<HeaderFields> ParseHeaderFile(std::string_view text);

}  // namespace kem
