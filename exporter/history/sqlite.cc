#include "history/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/unique_fd.h"

namespace kem {
namespace {

// Steps of the virtual machine between two calls of the stop check.
constexpr int kStopCheckSteps = 1000;
// The longest text or row that is read or written.
constexpr int kMaxLength = 1 << 20;

ErrorCode CodeOf(int result) {
  switch (result & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kMalformed;
    case SQLITE_FULL:
      return ErrorCode::kTooLarge;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_INTERRUPT:
      return ErrorCode::kCancelled;
    default:
      return ErrorCode::kInternal;
  }
}

// `connection` may be null. SQLITE_ERROR has no text of its own.
Error ErrorOf(sqlite3* connection, int result, std::string_view path) {
  const bool is_own = result == SQLITE_ERROR && connection != nullptr;
  std::string message(path);
  message.append(": ").append(is_own ? sqlite3_errmsg(connection)
                                     : sqlite3_errstr(result & 0xff));
  if (connection != nullptr && sqlite3_system_errno(connection) != 0 &&
      ((result & 0xff) == SQLITE_IOERR || (result & 0xff) == SQLITE_CANTOPEN)) {
    message.append(" (")
        .append(SystemMessage(sqlite3_system_errno(connection)))
        .append(")");
  }
  return {CodeOf(result), std::move(message)};
}

std::string_view PathOf(sqlite3* connection) {
  const char* path = sqlite3_db_filename(connection, "main");
  return path == nullptr ? "" : path;
}

// Never opens a file that exists: closing it again would release the locks that
// this process holds on it by other connections (SQLite, "How To Corrupt An
// SQLite Database File", section 2.2).
Result<void> CreateFile(const std::string& path) {
  constexpr int kHow = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  const UniqueFd file(::open(path.c_str(), kHow, 0600));
  if (file.has_value() || errno == EEXIST) return {};
  return Error{ErrorCode::kInternal,
               "cannot create " + path + ": " + SystemMessage(errno)};
}

// SQLite would wait for the other end of a named pipe.
Result<struct stat> FindFile(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    return Error{ErrorCode::kInternal,
                 "cannot open " + path + ": " + SystemMessage(errno)};
  }
  if (S_ISREG(status.st_mode)) return status;
  return Error{ErrorCode::kInternal, path + " is not a regular file"};
}

}  // namespace

void SqlStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

SqlStatement& SqlStatement::Bind(int parameter, int64_t value) {
  const int result = sqlite3_bind_int64(statement_.get(), parameter, value);
  if (bound_ == SQLITE_OK) bound_ = result;
  return *this;
}

SqlStatement& SqlStatement::Bind(int parameter, std::string_view text) {
  // A null pointer would bind NULL.
  const char* data = text.empty() ? "" : text.data();
  const int result =
      sqlite3_bind_text64(statement_.get(), parameter, data, text.size(),
                          SQLITE_TRANSIENT, SQLITE_UTF8);
  if (bound_ == SQLITE_OK) bound_ = result;
  return *this;
}

SqlStatement& SqlStatement::BindBytes(int parameter, std::string_view bytes) {
  const int result =
      sqlite3_bind_blob64(statement_.get(), parameter, bytes.data(),
                          bytes.size(), SQLITE_TRANSIENT);
  if (bound_ == SQLITE_OK) bound_ = result;
  return *this;
}

Result<bool> SqlStatement::Step() {
  int result = std::exchange(bound_, SQLITE_OK);
  if (result == SQLITE_OK) result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  sqlite3* const connection = sqlite3_db_handle(statement_.get());
  Reset();
  if (result == SQLITE_DONE) return false;
  return ErrorOf(connection, result, PathOf(connection));
}

Result<void> SqlStatement::Run() {
  while (true) {
    const Result<bool> row = Step();
    if (!row) return row.error();
    if (!*row) return {};
  }
}

void SqlStatement::Reset() {
  // Returns the error of the last step again.
  static_cast<void>(sqlite3_reset(statement_.get()));
}

int64_t SqlStatement::Integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view SqlStatement::Text(int column) const {
  const auto* text =
      static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (text == nullptr || size <= 0) return {};
  return {text, static_cast<size_t>(size)};
}

bool SqlStatement::HasBytes(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_BLOB;
}

void SqlConnection::Close::operator()(sqlite3* connection) const {
  sqlite3_close_v2(connection);
}

// No memory mapping: a file that another program cuts short would raise SIGBUS.
Result<SqlConnection> SqlConnection::Open(const std::string& path,
                                          Access access, size_t cache,
                                          int patience_millis) {
  const bool writes = access == Access::kReadWrite;
  if (writes) {
    if (Result<void> created = CreateFile(path); !created) {
      return created.error();
    }
  }
  const Result<struct stat> status = FindFile(path);
  if (!status) return status.error();
  SqlConnection opened;
  opened.path_ = path;
  opened.device_ = status->st_dev;
  opened.inode_ = status->st_ino;
  sqlite3* connection = nullptr;
  const int how = (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                  SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                  SQLITE_OPEN_EXRESCODE;
  const int result = sqlite3_open_v2(path.c_str(), &connection, how, nullptr);
  opened.connection_.reset(connection);
  if (result != SQLITE_OK) return ErrorOf(connection, result, path);
  sqlite3_busy_timeout(connection, patience_millis);
  sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, kMaxLength);
  // Another program may have written the file. The writer needs its triggers,
  // which change the virtual table `words`.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, writes ? 1 : 0,
                    nullptr);
  Result<void> set = opened.Run(
      "PRAGMA mmap_size=0;PRAGMA cell_size_check=ON;PRAGMA temp_store=MEMORY;"
      "PRAGMA cache_size=-" +
      std::to_string(cache / 1024));
  if (!set) return set.error();
  return opened;
}

Result<void> SqlConnection::Run(const std::string& sql) {
  const int result =
      sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result == SQLITE_OK) return {};
  return ErrorOf(connection_.get(), result, path_);
}

Result<SqlStatement> SqlConnection::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result =
      sqlite3_prepare_v2(connection_.get(), sql.data(),
                         static_cast<int>(sql.size()), &statement, nullptr);
  if (result == SQLITE_OK) return SqlStatement(statement);
  return ErrorOf(connection_.get(), result, path_);
}

Result<int64_t> SqlConnection::Integer(std::string_view sql) {
  Result<SqlStatement> statement = Prepare(sql);
  if (!statement) return statement.error();
  const Result<bool> row = statement->Step();
  if (!row) return row.error();
  return *row ? statement->Integer(0) : 0;
}

void SqlConnection::CheckStop(std::function<bool()> stop) {
  stop_ = std::make_unique<std::function<bool()>>(std::move(stop));
  sqlite3_progress_handler(
      connection_.get(), kStopCheckSteps,
      [](void* check) {
        return (*static_cast<std::function<bool()>*>(check))() ? 1 : 0;
      },
      stop_.get());
}

void SqlConnection::SetFilter(std::function<bool(int64_t)> passes) {
  if (!passes) return filter_.reset();
  filter_ = std::make_unique<std::function<bool(int64_t)>>(std::move(passes));
  sqlite3_create_function_v2(
      connection_.get(), "passes", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY,
      filter_.get(),
      [](sqlite3_context* context, int, sqlite3_value** values) {
        const auto* filter = static_cast<std::function<bool(int64_t)>*>(
            sqlite3_user_data(context));
        sqlite3_result_int(context,
                           (*filter)(sqlite3_value_int64(values[0])) ? 1 : 0);
      },
      nullptr, nullptr, nullptr);
}

int64_t SqlConnection::last_id() const {
  return sqlite3_last_insert_rowid(connection_.get());
}

bool SqlConnection::IsCurrent() const {
  struct stat status = {};
  return ::stat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
         status.st_ino == inode_;
}

}  // namespace kem
