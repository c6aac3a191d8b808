// From any response, discovery reads only kinds that have names, and requests
// only paths below /api and /apis.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "events/discovery.h"
#include "fuzz/fuzzing.h"

namespace {

void RequireKinds(const kem::ApiKinds& found) {
  for (const kem::ApiKind& kind : found.kinds) {
    kem::Require(!kind.kind.empty(), "every kind has a name");
    kem::Require(
        kind.plural.find_first_not_of("abcdefghijklmnopqrstuvwxyz"
                                      "0123456789.-") == std::string::npos,
        "plurals are fit for a path");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto root = kem::ParseDiscoveryRoot(text)) {
    RequireKinds(root->found);
    for (const std::string& group_version : root->walk) {
      kem::Require(
          group_version.find_first_not_of("abcdefghijklmnopqrstuvwxyz"
                                          "0123456789.-/") == std::string::npos,
          "group versions are fit for a path");
      kem::Require(
          std::count(group_version.begin(), group_version.end(), '/') <= 1,
          "a group version has one slash");
    }
  }
  if (const auto found = kem::ParseResourceList(text, "apps/v1")) {
    RequireKinds(*found);
  }
  return 0;
}
