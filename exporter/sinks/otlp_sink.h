// The sink type otlp: sends OTLP/HTTP, the logs signal, to an OpenTelemetry
// collector or a store that takes it, one request per batch. After a request
// that is too large the next ones are smaller. Does not encode: see
// otlp_encoder.h.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file_reader.h"
#include "base/result.h"
#include "net/http_transport.h"
#include "sinks/otlp_encoder.h"
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
  struct Format {
    OtlpEncoding encoding = OtlpEncoding::kProtobuf;
    bool gzip = true;
    RecordConstants constants = {};
  };
  OtlpSink(std::unique_ptr<HttpTransport> transport, Headers headers,
           const Format& format, FileReader read = DiskFiles());

  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token& stop) override;
  size_t max_batch() const override { return max_batch_; }

 private:
  static constexpr size_t kMaxBatch = 512;

  // Adds the headers of the file.
  Result<void> AddHeaders(HttpRequest& request) const;

  const std::unique_ptr<HttpTransport> transport_;
  const Headers headers_;
  const bool gzip_;
  const std::unique_ptr<OtlpEncoder> encoder_;
  const FileReader read_;
  // Halved after a request that is too large, one more after each that is not:
  // the limits of proxies and collector are in bytes, and unknown.
  size_t max_batch_ = kMaxBatch;
};

// Parses lines of "Name: value"; empty lines and those that begin with # are
// ignored. Headers that the request sets itself, such as Content-Length, are
// errors. The error is a clause with the line's number, without its value.
using HeaderFields = std::vector<std::pair<std::string, std::string>>;
Result<HeaderFields> ParseHeaderFile(std::string_view text);

}  // namespace kem
