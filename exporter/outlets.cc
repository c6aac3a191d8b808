#include "outlets.h"

#include <memory>

#include "apiserver/httplib_transport.h"
#include "forward/log_outlet.h"
#include "forward/otlp_outlet.h"

namespace kem {
namespace {

// To this machine nobody listens in between.
bool Private(const ServerUrl& server) {
  return server.tls || server.host == "localhost" || server.host == "::1" ||
         server.host.starts_with("127.");
}

}  // namespace

Forwarder::MakeOutlet OutletMaker(HttpTransport& /*api*/,
                                  const Discovery& /*discovery*/,
                                  Clock& clock) {
  return [&clock](const OutletConfig& config,
                  OutletMemory&) -> std::unique_ptr<Outlet> {
    if (config.kind == OutletKind::kOtlp) {
      const ApiAccess& access = *config.collector.access;
      return std::make_unique<OtlpOutlet>(
          std::make_unique<HttplibTransport>(access),
          OtlpOutlet::Headers{config.headers_file, Private(access.server)},
          clock);
    }
    return std::make_unique<LogOutlet>(config.path);
  };
}

}  // namespace kem
