// Makes the outlets that the configuration names, each of its kind. Used by
// the app, for Forwarder; the one place that knows all kinds. Nothing of them
// is kept here.
#pragma once

#include "base/clock.h"
#include "events/discovery.h"
#include "net/http_transport.h"
#include "sinks/forwarder.h"

namespace kem {

// `api` and `discovery` are for the outlets that write to the API server. All
// must outlive what is made.
Forwarder::MakeOutlet OutletMaker(HttpTransport& api,
                                  const Discovery& discovery, Clock& clock);

}  // namespace kem
