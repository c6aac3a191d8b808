// A folder of a test's own, gone with it: for what reads and writes files.
// Empty at first, and below the one that the system has for such; its path
// tells nothing that a test could rely on.
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
