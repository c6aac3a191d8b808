#include <unistd.h>

#include <array>
#include <climits>
#include <memory>
#include <string>

#include "apiserver/api_transport.h"
#include "net/proxy_url.h"
#include "sinks/annotate_sink.h"
#include "sinks/log_sink.h"
#include "sinks/mirror_sink.h"
#include "sinks/otlp_sink.h"
#include "sinks/sink_runner.h"

namespace kem {
namespace {

// Of the Pod in Kubernetes; empty if it cannot be read.
std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

RecordConstants ConstantsOf(const SinkConfig& config) {
  return {ServiceAttributes(HostName(), config.resource_attributes),
          config.labels};
}

std::unique_ptr<Sink> MakeOtlp(const SinkConfig& config, Resolver& resolver) {
  const ServerAccess& access = *config.collector.access;
  return std::make_unique<OtlpSink>(
      std::make_unique<ApiTransport>(access, resolver),
      OtlpSink::Headers{config.headers_file,
                        access.server.tls || IsThisMachine(access.server)},
      OtlpSink::Format{config.encoding, config.gzip, ConstantsOf(config)});
}

}  // namespace

SinkFactory MakeSinkFactory(HttpTransport& api, const Discovery& discovery,
                            Resolver& resolver, Clock& clock) {
  return [&](const SinkConfig& config,
             SinkMemory& memory) -> std::unique_ptr<Sink> {
    switch (config.type) {
      case SinkType::kLog:
        return std::make_unique<LogSink>(config.path, ConstantsOf(config));
      case SinkType::kOtlp:
        return MakeOtlp(config, resolver);
      case SinkType::kAnnotate:
        return std::make_unique<AnnotateSink>(
            api, discovery, clock, memory,
            AnnotateOptions{config.queue.name, config.label, config.label_ttl});
      case SinkType::kMirror:
        return std::make_unique<MirrorSink>(api, config.target_namespace);
    }
    return nullptr;  // not reached
  };
}

}  // namespace kem
