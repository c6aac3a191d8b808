// --dry-run: whether this access has all permissions that the exporter needs.
// Asks the API server, and renders what is missing as RBAC objects. Used by
// main after flags and files were checked. Changes nothing.
#pragma once

#include <string>

#include "apiserver/server_access.h"
#include "config/flags.h"
#include "net/http_transport.h"

namespace kem {

struct DryRunReport {
  // 0: nothing is missing; 1: something is, or the check failed.
  int code = 0;
  // YAML for kubectl apply: the findings are comments, what is missing are
  // objects.
  std::string text;
};

// Checks whether each collection can be listed and watched by core/v1 or
// events.k8s.io/v1, of which one suffices, then discovery, then what sinks of
// type mirror and annotate need. Blocks for up to 10 s a request, and ends at
// the first one without an answer.
DryRunReport DryRun(const Options& options, const ServerAccess& access,
                    HttpTransport& transport);

}  // namespace kem
