#include "sinks/outlets.h"

#include <memory>

#include "apiserver/httplib_transport.h"
#include "net/proxy_url.h"
#include "sinks/log_outlet.h"
#include "sinks/mark_outlet.h"
#include "sinks/namespace_outlet.h"
#include "sinks/otlp_outlet.h"

namespace kem {
namespace {

std::unique_ptr<Outlet> MakeOtlp(const OutletConfig& config,
                                 const Clock& clock) {
  const ApiAccess& access = *config.collector.access;
  return std::make_unique<OtlpOutlet>(
      std::make_unique<HttplibTransport>(access),
      OtlpOutlet::Headers{config.headers_file,
                          access.server.tls || IsThisMachine(access.server)},
      clock);
}

}  // namespace

Forwarder::MakeOutlet OutletMaker(HttpTransport& api,
                                  const Discovery& discovery, Clock& clock) {
  return [&](const OutletConfig& config,
             OutletMemory& memory) -> std::unique_ptr<Outlet> {
    switch (config.kind) {
      case OutletKind::kLog:
        return std::make_unique<LogOutlet>(config.path);
      case OutletKind::kOtlp:
        return MakeOtlp(config, clock);
      case OutletKind::kMark:
        return std::make_unique<MarkOutlet>(
            api, discovery, clock, memory,
            MarkOptions{config.queue.name, config.label, config.label_ttl});
      case OutletKind::kNamespace:
        return std::make_unique<NamespaceOutlet>(api, config.target_namespace);
    }
    return nullptr;  // there is no other kind
  };
}

}  // namespace kem
