// The four event families: name, type and help as exposed and as documented in
// METRICS.md (tests/lint compares them), and the rows that each shows. Used by
// the series table and by the exporter's own metrics.
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

// The two kinds of rows: a label tuple (with object_namespace), or one
// cluster-scoped object (with object_name).
enum class Who { kTuple, kObject };

enum class Family { kOccurrences, kObjectOccurrences, kLastSeen, kActive };
inline constexpr size_t kFamilyCount = 4;
inline constexpr std::array<Family, kFamilyCount> kAllFamilies = {
    Family::kOccurrences, Family::kObjectOccurrences, Family::kLastSeen,
    Family::kActive};
using PerFamily = std::array<uint64_t, kFamilyCount>;
const FamilyInfo& Info(Family family);

// Whether `family` shows a row. Last-seen shows cluster-scoped objects (rows
// with `cluster`) by object only.
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
