// Makes the sinks that the configuration names, each of its type. Used by
// the app, for SinkRunner; the one place that knows all types. Nothing of them
// is kept here.
#pragma once

#include "base/clock.h"
#include "events/discovery.h"
#include "net/http_transport.h"
#include "sinks/sink_runner.h"

namespace kem {

// `api` and `discovery` are for the sinks that write to the API server. All
// must outlive what is made.
SinkFactory MakeSinkFactory(HttpTransport& api, const Discovery& discovery,
                            Clock& clock);

}  // namespace kem
