#include "base/startup_memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace kem {
namespace {

// Resident pages of files: the program and its libraries.
int ResidentFileKilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "RssFile:") continue;
    int kilobytes = 0;
    status >> kilobytes;
    return kilobytes;
  }
  return 0;
}

TEST(StartupMemoryTest, GivesPagesBackAndTheProgramGoesOn) {
  const int before = ResidentFileKilobytes();
  ReleaseStartupPages();
  const int after = ResidentFileKilobytes();
  EXPECT_GT(before, 0);
  EXPECT_LT(after, before);
}

}  // namespace
}  // namespace kem
