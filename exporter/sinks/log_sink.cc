#include "sinks/log_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/rfc3339.h"
#include "base/safe_text.h"

namespace kem {
namespace {

constexpr int kPollMilliseconds = 200;

bool SameFile(int fd, const std::string& path) {
  struct stat open_one = {};
  struct stat named = {};
  return ::fstat(fd, &open_one) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

// A former writer may have been killed within a line. False for an unreadable
// file.
bool EndsWithinALine(int fd, const std::string& path) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_size == 0) {
    return false;
  }
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char last = '\n';
  return ::pread(file.get(), &last, 1, status.st_size - 1) == 1 && last != '\n';
}

}  // namespace

void AppendLogLine(const Occurrence& occurrence,
                   const RecordConstants& constants, std::string& out) {
  nlohmann::ordered_json line;
  const auto add = [&](std::string_view key, FieldValue value) {
    std::visit([&](auto one) { line[std::string(key)] = one; }, value);
  };
  line["time"] = FormatRfc3339Millis(occurrence.occurred_at);
  line["severity"] = SeverityOf(occurrence).text;
  line["body"] = occurrence.message;
  ForEachLogField(occurrence, add);
  ForEachResourceField(occurrence, add);
  for (const Attributes* more : {&constants.labels, &constants.resource}) {
    for (const auto& [key, value] : *more) add(key, value);
  }
  out += EscapeHiddenInJson(JsonText(line));
  out += '\n';
}

Delivery LogSink::Deliver(std::span<const Occurrence> batch,
                          const std::stop_token& stop) {
  const Result<int> fd = Open();
  if (!fd) return {.rest = Delivery::Failure{fd.error().message}};
  Delivery delivery;
  std::string line;
  for (const Occurrence& occurrence : batch) {
    line.clear();
    if (cut_) line += '\n';
    AppendLogLine(occurrence, constants_, line);
    if (!Write(*fd, line, stop)) {
      delivery.rest = Delivery::Failure{"cannot write to " + path_ + ": " +
                                        SystemMessage(errno)};
      break;
    }
    ++delivery.done;
  }
  return delivery;
}

Result<int> LogSink::Open() {
  if (path_ == "-") return STDOUT_FILENO;
  if (file_.has_value() && SameFile(file_.get(), path_)) return file_.get();
  // O_NONBLOCK: a named pipe without a reader is an error instead of a wait.
  constexpr int kHow = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK;
  file_ = UniqueFd(::open(path_.c_str(), kHow, 0640));
  if (!file_.has_value()) {
    return Error{ErrorCode::kInternal,
                 "cannot open " + path_ + ": " + SystemMessage(errno)};
  }
  cut_ = EndsWithinALine(file_.get(), path_);
  return file_.get();
}

// In pieces of PIPE_BUF, which a ready pipe accepts without blocking, so that a
// stalled reader does not delay the stop.
bool LogSink::Write(int fd, std::string_view text,
                    const std::stop_token& stop) {
  while (!text.empty()) {
    pollfd ready{fd, POLLOUT, 0};
    if (::poll(&ready, 1, kPollMilliseconds) == 0) {
      errno = EAGAIN;
      if (stop.stop_requested()) return false;
      continue;
    }
    const ssize_t written =
        ::write(fd, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
    cut_ = !text.empty();
  }
  return true;
}

}  // namespace kem
