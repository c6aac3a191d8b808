#include "base/file_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/unique_fd.h"

namespace kem {
namespace {

constexpr size_t kMaxFileBytes = size_t{16} << 20;

Error ReadError(const std::string& path, int error_number) {
  return Error{ErrorCode::kInternal,
               "cannot read " + path + ": " + SystemMessage(error_number)};
}

}  // namespace

Result<std::string> ReadFile(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.has_value()) return ReadError(path, errno);
  std::string content;
  std::array<char, 16384> buffer;
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ReadError(path, errno);
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<size_t>(got));
    if (content.size() > kMaxFileBytes) {
      return Error{ErrorCode::kTooLarge, path + " is larger than 16 MiB"};
    }
  }
}

FileReader DiskFiles() {
  return [](const std::string& path) -> Result<std::optional<std::string>> {
    if (::access(path.c_str(), F_OK) != 0 &&
        (errno == ENOENT || errno == ENOTDIR)) {
      return std::optional<std::string>();
    }
    Result<std::string> content = ReadFile(path);
    if (!content) return content.error();
    return std::optional<std::string>(std::move(*content));
  };
}

}  // namespace kem
