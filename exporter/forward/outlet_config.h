// What one entry of the configuration file's `forward` list says, judged and
// with its defaults. Made by forward_config.cc, used by whoever builds outlets.
#pragma once

#include <chrono>
#include <string>

#include "events/event_filter.h"
#include "occurrences/outbox.h"

namespace kem {

enum class OutletKind { kLog, kOtlp, kNamespace, kMark };

struct OutletConfig {
  Outbox::Outlet queue;  // with its name
  OutletKind kind = OutletKind::kLog;
  FilterOptions filter = {.namespaced = false};

  std::string path = "-";  // log

  // otlp: without /v1/logs.
  std::string endpoint;
  std::string headers_file;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;

  std::string target_namespace;  // namespace

  // mark
  std::string label = "kube-event-metrics/trouble";
  std::chrono::seconds label_ttl = std::chrono::hours(24);

  bool operator==(const OutletConfig&) const = default;
};

}  // namespace kem
