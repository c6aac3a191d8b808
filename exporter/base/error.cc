#include "base/error.h"

#include <array>
#include <system_error>

namespace kem {

std::string_view ToString(ErrorCode code) {
  static constexpr std::array<std::string_view, 12> kNames = {
      "unavailable", "expired",   "throttled",      "unauthorized",
      "forbidden",   "not_found", "rejected",       "malformed",
      "too_large",   "cancelled", "invalid_config", "internal"};
  static_assert(kNames.size() == static_cast<size_t>(ErrorCode::kInternal) + 1);
  return kNames[static_cast<size_t>(code)];
}

Error Error::WithPrefix(std::string_view prefix) const {
  return Error{code, std::string(prefix) + ": " + message};
}

std::string SystemMessage(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace kem
