// Counters of the sessions with the API server: lists, watches, watch events
// and what was dropped. Written by the reflectors, read by a scrape. One object
// for the process.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace kem {

// The result of a list with all its pages; the label `result`.
enum class ListResult {
  kSuccess,
  kExpired,
  kThrottled,
  kUnauthorized,
  kForbidden,
  kNotFound,
  kRejected,
  kUnavailable,
  kMalformed,
  kTooLarge,
  kCancelled,
};
inline constexpr std::array<std::string_view, 11> kListResultNames = {
    "success",   "expired",   "throttled", "unauthorized",
    "forbidden", "not_found", "rejected",  "unavailable",
    "malformed", "too_large", "cancelled"};

// Why a watch ended; the label `reason`.
enum class WatchEnd {
  kClean,         // the API server closed it properly
  kShort,         // closed at once and empty: the resourceVersion is suspect
  kTruncated,     // the connection broke inside the stream
  kTimeout,       // silence past the read deadline: a half-open connection
  kExpired,       // 410, by status or in the stream
  kThrottled,     // 429
  kUnauthorized,  // 401 twice
  kForbidden,     // 403
  kNotFound,      // 404
  kRejected,      // 400 or 422
  kUnavailable,   // could not connect, or a 5xx
  kMalformed,     // a frame that does not parse
  kOversize,      // a frame above the limit
  kUnknownType,   // a watch event of an unknown type
  kError,         // another ERROR event
  kCancelled,     // a stop, or a requested list
};
inline constexpr std::array<std::string_view, 16> kWatchEndNames = {
    "clean",     "short",        "truncated",    "timeout",
    "expired",   "throttled",    "unauthorized", "forbidden",
    "not_found", "rejected",     "unavailable",  "malformed",
    "oversize",  "unknown_type", "error",        "cancelled"};

// The label `type` of watch events, as FrameType without kMalformed.
inline constexpr std::array<std::string_view, 6> kFrameTypeNames = {
    "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", "unknown"};

// Why a watch event or list item was dropped; the label `reason`.
enum class DropReason {
  kMalformed,
  kOversize,
  kReplay,     // not newer than what is stored
  kTruncated,  // the connection broke inside it; it is sent again
  kUnknownType,
};
inline constexpr std::array<std::string_view, 5> kDropReasonNames = {
    "malformed", "oversize", "replay", "truncated", "unknown_type"};

// The value of `Enum` with the name of `code`, else `other`.
template <typename Enum, size_t N>
Enum FromErrorCode(ErrorCode code, const std::array<std::string_view, N>& names,
                   Enum other) {
  const auto name = std::find(names.begin(), names.end(), ToString(code));
  return name == names.end() ? other : static_cast<Enum>(name - names.begin());
}

struct SessionStats {
  using Counter = std::atomic<uint64_t>;

  std::array<Counter, kListResultNames.size()> lists{};
  std::array<Counter, kWatchEndNames.size()> watches{};
  std::array<Counter, kFrameTypeNames.size()> frames{};
  std::array<Counter, kDropReasonNames.size()> dropped{};
  Counter resource_version_resets{0};
  // New Events that watches delivered long after they were created
  // (DeliveryLag), or did not deliver.
  Counter late_watch_events{0};
  // Time without a complete stream, up to the commit of a list.
  Counter unobserved_millis{0};

  void Count(ListResult result) { ++lists[static_cast<size_t>(result)]; }
  void Count(WatchEnd end) { ++watches[static_cast<size_t>(end)]; }
  void Count(DropReason reason) { ++dropped[static_cast<size_t>(reason)]; }
};

}  // namespace kem
