// --events.from: the exporter without an API server. Counts what kubectl
// printed (offline/offline_reader.h) through the same Pipeline as if it were
// live: of a dump each Event's whole count, of a stream what each frame adds.
// Serves the same endpoints, or with --once prints the exposition and ends.
// Scope is the built-in table's, else inferred: there is no discovery.
#pragma once

#include "base/termination.h"
#include "config/flags.h"

namespace kem {

// Reads options.events_from ("-": standard input) and returns the process's
// exit code: 0 after a signal, or with --once after the whole input; 1 when the
// input cannot be read, is not what it should be or was cut, with one sentence
// in the log that names the line.
int RunOffline(const Options& options, const TerminationSignals& signals);

}  // namespace kem
