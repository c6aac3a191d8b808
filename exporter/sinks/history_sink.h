// The sink type history: keeps Events in an SQLite file, which the API, the
// pages and sqlite3 read (history/history_file.h). Decides when to write and
// when to clean up; the file decides what.
#pragma once

#include <string>
#include <utility>

#include "base/clock.h"
#include "history/history_file.h"
#include "sinks/sink.h"

namespace kem {

class HistorySink : public Sink {
 public:
  // From one transaction to the next, as long as the queue is short: each costs
  // as much as ten occurrences.
  static constexpr std::chrono::milliseconds kPace{200};

  // `clock` and `status` must outlive this.
  HistorySink(std::string path, HistoryLimits limits, Clock& clock,
              HistoryStatus& status)
      : clock_(clock), file_(std::move(path), limits, clock, status) {}

  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token& stop) override;
  size_t max_batch() const override { return HistoryFile::kMaxBatch; }
  size_t max_batch_bytes() const override {
    return HistoryFile::kMaxBatchBytes;
  }
  void Idle(const std::stop_token& stop) override;
  std::chrono::milliseconds idle_interval() const override {
    return more_ ? std::chrono::milliseconds(10) : std::chrono::seconds(10);
  }

 private:
  Clock& clock_;
  HistoryFile file_;
  bool delivered_ = false;  // since the last wait
  bool more_ = false;       // to remove
  bool failing_ = false;    // and logged
};

}  // namespace kem
