// Runs a program until it exits and returns its output. Used by ExecPlugin; not
// for programs that stay in the background. The program has no shell, an empty
// standard input, its own process group, default signal handling (the exporter
// ignores SIGPIPE and blocks SIGTERM) and no inherited descriptors. A stop
// request or the time limit kills its group.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace kem {

struct Program {
  // Looked up in PATH unless it contains a slash.
  std::string command;
  std::vector<std::string> args;         // without the program's own name
  std::vector<std::string> environment;  // complete: "NAME=value"
  std::chrono::milliseconds limit{30000};
  size_t max_output = size_t{1} << 20;
};

struct ProgramEnd {
  enum class How {
    kNotStarted,  // code: errno
    kExited,      // code: the exit code
    kSignalled,   // code: the signal's number
    kTimeout,     // exceeded the limit; killed
    kTooLarge,    // printed more than max_output; killed
    kStopped,     // a stop was requested; killed
  };
  How how = How::kNotStarted;
  int code = 0;
  std::string output;    // of stdout
  std::string messages;  // of stderr, the first and the last 32 KiB
};

using ProgramRunner =
    std::function<ProgramEnd(const Program& program, std::stop_token stop)>;

// Blocks. Background processes of a program that exited by itself keep running,
// as with a shell. Thread-safe.
ProgramEnd RunProgram(const Program& program, std::stop_token stop);

}  // namespace kem
