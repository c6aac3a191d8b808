// SQLite without its C interface: a connection and prepared statements, with
// errors as values. Used by the history only. Knows no schema. Parameters are
// always bound, so that no text from outside becomes SQL.
//
// An error is kMalformed for a damaged file, kTooLarge when the disk or the
// file is full, kUnavailable while another connection has the lock, kCancelled
// after the stop check, else kInternal. Its message names the file.
//
// Not thread-safe. Nothing throws.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace kem {

// How a time is stored: since 1970.
inline int64_t Micros(WallTime time) { return time.time_since_epoch().count(); }

// Belongs to a connection, and must end before it.
class SqlStatement {
 public:
  // The first parameter is 1. Texts are copied, and may have any bytes.
  SqlStatement& Bind(int parameter, int64_t value);
  SqlStatement& Bind(int parameter, std::string_view text);
  // A BLOB.
  SqlStatement& BindBytes(int parameter, std::string_view bytes);

  // True for a row; false at the end, after which it can be bound and run
  // again. An error ends it too.
  Result<bool> Step();
  // Runs to the end.
  Result<void> Run();
  // Ends it before its last row.
  void Reset();

  // Of the current row, the first column is 0. The text is valid until the next
  // call of Step or Reset, and may have any bytes.
  int64_t Integer(int column) const;
  std::string_view Text(int column) const;
  // It is a BLOB.
  bool HasBytes(int column) const;

 private:
  friend class SqlConnection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit SqlStatement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;  // the first error of a Bind
};

class SqlConnection {
 public:
  enum class Access { kRead, kReadWrite };

  // For writing, an absent file is created, and only its owner may read it.
  // `cache` is the memory for pages, in bytes. Waits for the locks of others up
  // to `patience`.
  static Result<SqlConnection> Open(const std::string& path, Access access,
                                    size_t cache, int patience_millis);

  // For SQL without parameters; several statements are separated by semicolons.
  Result<void> Run(const std::string& sql);
  Result<SqlStatement> Prepare(std::string_view sql);
  // The first column of the first row; 0 without one.
  Result<int64_t> Integer(std::string_view sql);

  // Called about every 0.1 ms while statements run, until it returns true:
  // then they end with kCancelled.
  void CheckStop(std::function<bool()> stop);

  // Of the SQL function passes(id).
  void SetFilter(std::function<bool(int64_t)> passes);

  const std::string& path() const { return path_; }
  // Of the last row that was inserted.
  int64_t last_id() const;
  // The file that was opened is still the one at its path.
  bool IsCurrent() const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  SqlConnection() = default;

  // These outlive the connection, which calls them.
  std::unique_ptr<std::function<bool()>> stop_;
  std::unique_ptr<std::function<bool(int64_t)>> filter_;
  std::unique_ptr<sqlite3, Close> connection_;
  std::string path_;
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
};

}  // namespace kem
