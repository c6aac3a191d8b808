// The sink type log: writes one JSON line per occurrence to standard output or
// to a file. The file may be rotated: the next batch opens a new one. Times are
// UTC.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sinks/record_fields.h"
#include "sinks/sink.h"

namespace kem {

class LogSink : public Sink {
 public:
  // "-" is standard output. Opens no file yet.
  explicit LogSink(std::string path, RecordConstants constants = {})
      : path_(std::move(path)), constants_(std::move(constants)) {}

  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token& stop) override;
  size_t max_batch() const override { return 512; }

 private:
  Result<int> Open();
  // False for an error, in errno, or at `stop`.
  bool Write(int fd, std::string_view text, const std::stop_token& stop);

  const std::string path_;
  const RecordConstants constants_;
  UniqueFd file_;
  bool cut_ = false;  // the last line has no newline
};

// One line with its newline: time, severity, body and all attributes. Hidden
// characters are escaped, because people read such files in terminals.
void AppendLogLine(const Occurrence& occurrence,
                   const RecordConstants& constants, std::string& out);

}  // namespace kem
