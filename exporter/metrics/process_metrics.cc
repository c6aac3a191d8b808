#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sstream>
#include <string>

#include "base/file_reader.h"
#include "metrics/own_metrics.h"

namespace kem {
namespace {

double CountOpenFds() {
  DIR* dir = ::opendir("/proc/self/fd");
  if (dir == nullptr) return 0;
  double count = 0;
  while (const dirent* entry = ::readdir(dir)) {
    if (entry->d_name[0] != '.') ++count;
  }
  ::closedir(dir);
  return count - 1;  // without the one of /proc/self/fd
}

double BootTime() {
  const Result<std::string> stat = ReadFile("/proc/stat");
  if (!stat) return 0;
  const size_t at = stat->find("btime ");
  if (at == std::string::npos) return 0;
  double seconds = 0;
  std::istringstream(stat->substr(at + 6)) >> seconds;
  return seconds;
}

}  // namespace

ProcessReadings ReadProcess() {
  ProcessReadings readings;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    readings.cpu_seconds =
        static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
        static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
            1e6;
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    readings.max_fds = static_cast<double>(limit.rlim_cur);
  }
  readings.open_fds = CountOpenFds();
  const Result<std::string> stat = ReadFile("/proc/self/stat");
  // man 5 proc, from field (3) state on. The command's name before it may hold
  // anything, but ends at the last parenthesis.
  const size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) return readings;
  std::istringstream fields(stat->substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double start_ticks = 0;
  double resident_pages = 0;
  fields >> start_ticks >> readings.virtual_bytes >> resident_pages;
  readings.resident_bytes =
      resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
  readings.start_time_seconds =
      BootTime() + start_ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return readings;
}

}  // namespace kem
