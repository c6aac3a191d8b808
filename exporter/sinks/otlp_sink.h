// The sink type otlp: sends OTLP/HTTP with JSON, the logs signal, to an
// OpenTelemetry collector, one compressed request per batch
// (github.com/open-telemetry/opentelemetry-proto, docs/specification.md). After
// a request that is too large the next ones are smaller.
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
    // Read for each request; empty for no headers.
    std::string file;
    // TLS or loopback. Without it an Authorization header is an error.
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

  // Adds the headers of the file.
  Result<void> AddHeaders(HttpRequest& request) const;

  const std::unique_ptr<HttpTransport> transport_;
  const Headers headers_;
  const Clock& clock_;
  const FileReader read_;
  // Halved after a request that is too large, one more after each that is not:
  // the limits of proxies and collector are in bytes, and unknown.
  size_t max_batch_ = kMaxBatch;
};

// The request's body, an ExportLogsServiceRequest.
std::string OtlpBody(std::span<const Occurrence> batch, WallTime now);

// Parses lines of "Name: value"; empty lines and those that begin with # are
// ignored. Headers that the request sets itself, such as Content-Length, are
// errors. The error is a clause with the line's number, without its value.
using HeaderFields = std::vector<std::pair<std::string, std::string>>;
Result<HeaderFields> ParseHeaderFile(std::string_view text);

}  // namespace kem
