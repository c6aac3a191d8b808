// Turns one context of a merged kubeconfig into an ServerAccess, by kubectl's
// rules (client-go tools/clientcmd/validation.go). Used by ResolveAccess only.
// Reads the files that the context names.
#pragma once

#include <string>

#include "apiserver/kubeconfig.h"
#include "apiserver/server_access.h"

namespace kem {

// Uses `context`, or current-context when it is empty. A context without a user
// is anonymous. `apiserver`, unless empty, replaces the server and removes
// tls-server-name. `where` names the kubeconfig in errors.
Result<ServerAccess> AccessFromKubeconfig(const Kubeconfig& config,
                                          const std::string& context,
                                          const std::string& apiserver,
                                          const std::string& where,
                                          const FileReader& read);

}  // namespace kem
