// Builds the exporter from validated options and runs it until a signal: one
// transport, one world, a watcher for each collection, the sinks and the HTTP
// server. Connects the parts, and holds no logic of its own.
#pragma once

#include "apiserver/server_access.h"
#include "base/termination.h"
#include "config/flags.h"
#include "reload.h"

namespace kem {

// Returns the process's exit code: 0 after a signal, 1 when the state file is
// in use or the HTTP server cannot start. When a thread does not stop within 10
// s after a signal (a DNS lookup cannot be interrupted), ends the process with
// 0.
int RunApp(const Options& options, ServerAccess access,
           const TerminationSignals& signals, Reloader::Parse parse);

}  // namespace kem
