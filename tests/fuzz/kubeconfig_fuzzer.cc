// ParseKubeconfig survives any text. What it accepts can be merged: into an
// empty one it stays the same, into itself it adds nothing.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "apiserver/kubeconfig.h"
#include "fuzz/fuzzing.h"

namespace {

bool IsAbsoluteOrEmpty(const std::string& path) {
  return path.empty() || path.front() == '/';
}

void RequireSameSize(const kem::Kubeconfig& a, const kem::Kubeconfig& b) {
  kem::Require(a.current_context == b.current_context &&
                   a.clusters.size() == b.clusters.size() &&
                   a.users.size() == b.users.size() &&
                   a.contexts.size() == b.contexts.size(),
               "merging neither adds nor loses entries");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = kem::ParseKubeconfig(text, "/etc/kube/config");
  if (!parsed) {
    kem::Require(parsed.error().code == kem::ErrorCode::kInvalidConfig,
                 "a bad kubeconfig is a configuration error");
    return 0;
  }
  for (const auto& [name, cluster] : parsed->clusters) {
    kem::Require(IsAbsoluteOrEmpty(cluster.certificate_authority),
                 "a CA file's name is absolute");
  }
  for (const auto& [name, user] : parsed->users) {
    kem::Require(IsAbsoluteOrEmpty(user.client_certificate) &&
                     IsAbsoluteOrEmpty(user.client_key) &&
                     IsAbsoluteOrEmpty(user.token_file),
                 "a user's file names are absolute");
  }
  kem::Kubeconfig merged;
  kem::MergeKubeconfig(merged, *parsed);
  RequireSameSize(merged, *parsed);
  kem::MergeKubeconfig(merged, *parsed);
  RequireSameSize(merged, *parsed);
  return 0;
}
