// What one entry of the configuration file's `sinks` list says, judged and
// with its defaults. Made by sink_entries.cc, used by whoever builds sinks,
// and compared by a reload. Holds no secret but what files are named for.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "apiserver/api_access.h"
#include "events/event_filter.h"
#include "occurrences/outbox.h"

namespace kem {

enum class SinkType : uint8_t { kLog, kOtlp, kMirror, kAnnotate };
inline constexpr std::array<std::string_view, 4> kSinkTypeNames = {
    "log", "otlp", "mirror", "annotate"};
inline std::string_view NameOf(SinkType type) {
  return kSinkTypeNames[static_cast<size_t>(type)];
}

// Of the files named only the names are compared: the texts are read again as
// they are needed.
struct Collector {
  std::shared_ptr<const ApiAccess> access;  // null but for otlp
  bool operator==(const Collector&) const { return true; }
};

struct SinkConfig {
  Outbox::Sink queue;  // with its name
  SinkType type = SinkType::kLog;
  FilterOptions filter = {.namespaced = false};

  std::string path = "-";  // log

  // otlp: without /v1/logs; what the keys lead to is `collector`.
  std::string endpoint;
  std::string headers_file;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  Collector collector;

  std::string target_namespace;  // namespace

  // annotation
  std::string label = "kube-event-metrics/trouble";
  std::chrono::seconds label_ttl = std::chrono::hours(24);

  bool operator==(const SinkConfig&) const = default;
};

}  // namespace kem
