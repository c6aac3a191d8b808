// Occurrences, and what a file has, in SQL. Used by all tests of the history.
// Opens the file with a connection of its own, as sqlite3 does.
// Nothing throws.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "history/sqlite.h"
#include "occurrences/occurrence.h"

namespace kem {

inline constexpr WallTime kSampleTime{std::chrono::seconds(1795435200)};

// About the Node n1. `texts` must outlive it.
inline Occurrence SampleOccurrence(std::string_view uid, uint32_t count = 1,
                                   uint32_t delta = 1) {
  Occurrence one;
  one.uid = uid;
  one.event_namespace = "default";
  one.name = "n1.17";
  one.resource_version = 100 + count;
  one.api_version = "v1";
  one.kind = "Node";
  one.object_name = "n1";
  one.object_uid = "u-n1";
  one.reason = "Rebooted";
  one.type = "Warning";
  one.reporting_component = "kubelet";
  one.host = "n1";
  one.message = "Node n1 has been rebooted";
  one.count = count;
  one.delta = delta;
  one.first_seen = kSampleTime;
  one.occurred_at = kSampleTime + std::chrono::seconds(count);
  return one;
}

// The rows of a query, as sqlite3 prints them: columns by "|", rows by "\n".
inline std::string Ask(const std::string& path, std::string_view sql,
                       int columns = 1) {
  Result<SqlConnection> file = SqlConnection::Open(
      path, SqlConnection::Access::kRead, size_t{1} << 20, 1000);
  if (!file) return file.error().message;
  Result<SqlStatement> rows = file->Prepare(sql);
  if (!rows) return rows.error().message;
  std::string text;
  while (true) {
    const Result<bool> row = rows->Step();
    if (!row) return row.error().message;
    if (!*row) return text;
    if (!text.empty()) text += "\n";
    for (int i = 0; i < columns; ++i) {
      if (i > 0) text += "|";
      text += rows->Text(i);
    }
  }
}

// "ok" if tables, indexes and words fit each other.
inline std::string Check(const std::string& path) {
  Result<SqlConnection> file = SqlConnection::Open(
      path, SqlConnection::Access::kReadWrite, size_t{1} << 20, 1000);
  if (!file) return file.error().message;
  const Result<void> words =
      file->Run("INSERT INTO words(words, rank) VALUES('integrity-check', 1)");
  if (!words) return "words: " + words.error().message;
  const std::string unused = Ask(
      path,
      "SELECT (SELECT count(*) FROM objects WHERE id NOT IN (SELECT object "
      "FROM events)) + (SELECT count(*) FROM reasons WHERE id NOT IN (SELECT "
      "reason FROM events)) + (SELECT count(*) FROM jumps WHERE event NOT IN "
      "(SELECT id FROM events))");
  if (unused != "0") return unused + " unused rows";
  return Ask(path, "PRAGMA integrity_check");
}

}  // namespace kem
