// --events.from: the exporter without an API server. The same Pipeline counts
// what kubectl printed (offline/offline_reader.h): of a dump each Event's whole
// count, of a stream what each watch event adds. Serves the same endpoints, or
// with --once prints the exposition and ends. Without discovery, scope comes
// from the built-in tables or is inferred.
#pragma once

#include "base/result.h"
#include "base/termination.h"
#include "config/flags.h"

namespace kem {

// Reads options.events_from ("-": standard input) and returns the process's
// exit code: 0 after a signal, or with --once after the whole input; 1 when the
// input cannot be read, is malformed or truncated, or has nothing to count,
// which the log reports in one sentence. A list of Events without items is
// complete.
int RunOffline(const Options& options, const TerminationSignals& signals);

// For --dry-run: reads the whole file as RunOffline does, but not standard
// input. The error is one sentence that names the file.
Result<void> CheckOffline(const Options& options);

}  // namespace kem
