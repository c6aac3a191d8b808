// The four event families: name, type and help (tests/lint checks METRICS.md
// against the names), and which rows each shows. Used by the series table and
// by the exporter's own metrics, which have the family as a label.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kem {

struct FamilyInfo {
  std::string_view name;
  std::string_view type;
  std::string_view help;
};

// Whose labels a row has: a tuple's (with object_namespace) or one
// cluster-scoped object's (with object_name).
enum class Who { kTuple, kObject };

enum class Family { kOccurrences, kObjectOccurrences, kLastSeen, kActive };
inline constexpr size_t kFamilyCount = 4;
inline constexpr std::array<Family, kFamilyCount> kAllFamilies = {
    Family::kOccurrences, Family::kObjectOccurrences, Family::kLastSeen,
    Family::kActive};
using PerFamily = std::array<uint64_t, kFamilyCount>;
const FamilyInfo& Info(Family family);

// Whether `family` shows rows of `who`. `cluster` is set for rows of
// cluster-scoped objects, whose last-seen is shown by object only.
constexpr bool Shows(Family family, Who who, bool cluster) {
  switch (family) {
    case Family::kOccurrences:
    case Family::kActive:
      return who == Who::kTuple;
    case Family::kObjectOccurrences:
      return who == Who::kObject;
    case Family::kLastSeen:
      return who == Who::kObject || !cluster;
  }
  return false;
}

}  // namespace kem
