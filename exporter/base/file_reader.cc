#include "base/file_reader.h"

#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace kem {

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
