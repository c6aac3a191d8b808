// From one context of a merged kubeconfig to an ApiAccess. Used by
// ResolveAccess only; split off because the rules of kubectl's validation
// (client-go tools/clientcmd/validation.go) fill a file.
#pragma once

#include <string>

#include "apiserver/api_access.h"
#include "apiserver/kubeconfig.h"

namespace kem {

// Uses `context`, or current-context when it is empty. `apiserver`, when given,
// replaces the server and drops tls-server-name. `where` names the kubeconfig
// in errors.
Result<ApiAccess> AccessFromKubeconfig(const Kubeconfig& config,
                                       const std::string& context,
                                       const std::string& apiserver,
                                       const std::string& where,
                                       const FileReader& read);

}  // namespace kem
