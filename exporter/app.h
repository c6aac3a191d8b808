// Builds the exporter from validated options and runs it until a signal: one
// transport, one world, a reflector with its pipeline for each collection that
// is watched, and the HTTP server. The one place that knows all of them; holds
// no logic of its own.
#pragma once

#include "apiserver/api_access.h"
#include "base/termination.h"
#include "config/flags.h"
#include "reload.h"

namespace kem {

// Returns the process's exit code: 0 after a signal, 1 when the address cannot
// be bound. Ends the process itself with 0 when, after a signal, some thread
// hangs for kStopLimit where nothing can interrupt it (a DNS lookup).
int RunApp(const Options& options, ApiAccess access,
           const TerminationSignals& signals, Reloader::Parse parse);

}  // namespace kem
