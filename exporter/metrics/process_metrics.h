// What the kernel knows of this process, as the standard process_* metrics
// want it. Used by OwnMetrics. Linux only, and only a reading: nothing is kept
// between calls.
#pragma once

namespace kem {

// Zero where /proc does not tell.
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
