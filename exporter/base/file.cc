#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace kem {
namespace {

constexpr size_t kMaxFileBytes = size_t{16} << 20;

Error FileError(const std::string& path, int error_number) {
  return Error{ErrorCode::kInternal,
               "cannot read " + path + ": " +
                   std::generic_category().message(error_number)};
}

}  // namespace

Result<std::string> ReadFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError(path, errno);
  std::string content;
  std::array<char, 16384> buffer;
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      const int error_number = errno;
      ::close(fd);
      if (got < 0) return FileError(path, error_number);
      return content;
    }
    content.append(buffer.data(), static_cast<size_t>(got));
    if (content.size() > kMaxFileBytes) {
      ::close(fd);
      return Error{ErrorCode::kTooLarge, path + " is larger than 16 MiB"};
    }
  }
}

}  // namespace kem
