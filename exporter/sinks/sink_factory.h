// Creates the sink of a SinkConfig; the only code that knows all types. Used by
// the app, for SinkRunner, which owns the sinks. Starts no thread and opens no
// connection.
#pragma once

#include "base/clock.h"
#include "events/discovery.h"
#include "net/http_transport.h"
#include "sinks/sink_runner.h"

namespace kem {

// `api` and `discovery` are for the sinks that write to the API server. All
// must outlive the factory and its sinks.
SinkFactory MakeSinkFactory(HttpTransport& api, const Discovery& discovery,
                            Clock& clock);

}  // namespace kem
