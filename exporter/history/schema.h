// The tables of the history's file, described in HISTORY.md, and how a file of
// an older version gets them. Used by HistoryFile and by tests.
// Not thread-safe. Nothing throws.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "history/sqlite.h"

namespace kem {

// "kemh", by which file(1) and sqlite3 show whose file it is.
inline constexpr int64_t kHistoryApplicationId = 0x6b656d68;

// The SQL that takes a file from each version to the next; the first one takes
// it from an empty file to version 1. PRAGMA user_version is the number of
// steps that were done.
std::span<const char* const> HistorySchema();

// events.uid has a UUID, which the API server gives each Event, as its 16
// bytes. None for any other text, upper case included.
std::optional<std::string> PackUuid(std::string_view text);
// The text of 16 bytes.
std::string UnpackUuid(std::string_view bytes);

// Does the missing steps, each in one transaction. kMalformed for a damaged
// file and one of a newer version; kRejected for a database of another program,
// which must stay as it is.
Result<void> PrepareSchema(SqlConnection& file,
                           std::span<const char* const> steps, WallTime now);

}  // namespace kem
