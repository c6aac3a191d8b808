// Turns one context of a merged kubeconfig into an ApiAccess, by kubectl's
// rules (client-go tools/clientcmd/validation.go). Used by ResolveAccess only.
// Reads the files that the context names.
#pragma once

#include <string>

#include "apiserver/api_access.h"
#include "apiserver/kubeconfig.h"

namespace kem {

// Uses `context`, or current-context when it is empty. `apiserver`, unless
// empty, replaces the server and removes tls-server-name. `where` names the
// kubeconfig in errors.
Result<ApiAccess> AccessFromKubeconfig(const Kubeconfig& config,
                                       const std::string& context,
                                       const std::string& apiserver,
                                       const std::string& where,
                                       const FileReader& read);

}  // namespace kem
