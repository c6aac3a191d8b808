// A new, empty directory for a test, removed with its content at the end. Used
// by tests of code that reads and writes files. It is below the system's
// directory for temporary files; tests must not depend on its path.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace kem {

class TempFolder {
 public:
  TempFolder() {
    std::string name = ::testing::TempDir() + "kem-XXXXXX";
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace kem
