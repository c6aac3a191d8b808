// One entry of the configuration file's list `sinks`, checked and with
// defaults. Made by sink_entries.cc, used by SinkRunner and sink_factory.cc,
// and compared by a reload.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "apiserver/server_access.h"
#include "events/event_filter.h"
#include "history/history_file.h"
#include "occurrences/outbox.h"

namespace kem {

enum class SinkType : uint8_t { kLog, kOtlp, kMirror, kAnnotate, kHistory };
inline constexpr std::array<std::string_view, 5> kSinkTypeNames = {
    "log", "otlp", "mirror", "annotate", "history"};
inline std::string_view NameOf(SinkType type) {
  return kSinkTypeNames[static_cast<size_t>(type)];
}

enum class OtlpEncoding : uint8_t { kProtobuf, kJson };

// Attributes by name.
using Attributes = std::map<std::string, std::string, std::less<>>;

// Not compared: it follows from the other keys, and files are read again for
// each request.
struct Collector {
  std::shared_ptr<const ServerAccess> access;  // null for other types
  bool operator==(const Collector&) const { return true; }
};

struct SinkConfig {
  Outbox::Sink queue;  // and the name
  SinkType type = SinkType::kLog;
  FilterOptions filter = {.namespaced = false};
  // The window within which the queue joins occurrences; 0 if it does not.
  std::chrono::seconds every{0};

  std::string path = "-";  // log and history

  // otlp; the endpoint is without /v1/logs.
  std::string endpoint;
  std::string headers_file;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  OtlpEncoding encoding = OtlpEncoding::kProtobuf;
  bool gzip = true;
  Collector collector;

  // log and otlp
  Attributes resource_attributes;
  Attributes labels;

  std::string target_namespace;  // mirror

  // annotate
  std::string label = "kube-event-metrics/trouble";
  std::chrono::seconds label_ttl = std::chrono::hours(24);

  HistoryLimits history;

  bool operator==(const SinkConfig&) const = default;
};

}  // namespace kem
