// --dry-run: whether the exporter could do its work with this access, without
// starting it. Asks the API server who we are and what we may, and words what
// is missing as RBAC objects. Used by main after flags and files were judged;
// changes nothing anywhere.
#pragma once

#include <string>

#include "apiserver/api_access.h"
#include "config/flags.h"
#include "net/http_transport.h"

namespace kem {

struct DryRunReport {
  // 0: all is well; 1: something is missing, or could not be found out.
  int code = 0;
  // YAML that kubectl apply takes: what is told are comments, what is missing
  // are objects.
  std::string text;
};

// Asks for each watched collection whether it may be listed and watched, by
// core/v1 and by events.k8s.io/v1, of which the exporter needs one; for
// discovery; and for what the sinks that mirror and mark need. Blocks, at
// most 10 s a request; ends at the first one that gets no answer.
DryRunReport DryRun(const Options& options, const ApiAccess& access,
                    HttpTransport& transport);

}  // namespace kem
