// The values of the standard process_* metrics.
// Used by OwnMetrics.
// Linux only; keeps nothing between calls.
#pragma once

namespace kem {

// 0 where /proc is not readable.
struct ProcessReadings {
  double cpu_seconds = 0;
  double open_fds = 0;
  double max_fds = 0;
  double virtual_bytes = 0;
  double resident_bytes = 0;
  double start_time_seconds = 0;
};

// Reads /proc/self. Thread-safe.
ProcessReadings ReadProcess();

}  // namespace kem
