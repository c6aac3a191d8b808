#include <memory>

#include "apiserver/api_transport.h"
#include "base/environment.h"
#include "net/proxy_url.h"
#include "sinks/annotate_sink.h"
#include "sinks/history_sink.h"
#include "sinks/log_sink.h"
#include "sinks/mirror_sink.h"
#include "sinks/otlp_sink.h"
#include "sinks/sink_runner.h"

namespace kem {
namespace {

RecordConstants ConstantsOf(const SinkConfig& config) {
  return {ServiceAttributes(HostName(), config.resource_attributes),
          config.labels};
}

std::unique_ptr<Sink> MakeOtlp(const SinkConfig& config, Resolver& resolver,
                               const Clock& clock, SinkStats& stats) {
  const ServerAccess& access = *config.collector.access;
  return std::make_unique<OtlpSink>(
      ApiTransport(access, resolver).Keeping(clock, &stats.connections),
      OtlpSink::Headers{config.headers_file,
                        access.server.tls || IsThisMachine(access.server)},
      OtlpSink::Format{config.encoding, config.gzip, ConstantsOf(config)});
}

}  // namespace

SinkFactory MakeSinkFactory(const ApiTransport& api, const Discovery& discovery,
                            Resolver& resolver, HistoryStatus& history,
                            Clock& clock) {
  return [&](const SinkConfig& config, SinkMemory& memory,
             SinkStats& stats) -> std::unique_ptr<Sink> {
    switch (config.type) {
      case SinkType::kLog:
        return std::make_unique<LogSink>(config.path, ConstantsOf(config));
      case SinkType::kOtlp:
        return MakeOtlp(config, resolver, clock, stats);
      case SinkType::kAnnotate:
        return std::make_unique<AnnotateSink>(
            api.Keeping(clock, &stats.connections), discovery, clock, memory,
            AnnotateOptions{config.queue.name, config.label, config.label_ttl});
      case SinkType::kMirror:
        return std::make_unique<MirrorSink>(
            api.Keeping(clock, &stats.connections), config.target_namespace);
      case SinkType::kHistory:
        return std::make_unique<HistorySink>(config.path, config.history, clock,
                                             history);
    }
    return nullptr;  // not reached
  };
}

}  // namespace kem
