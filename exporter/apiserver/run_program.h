// Runs one program to its end and keeps what it prints: credential plugins. No
// shell, nothing on its standard input, a process group of its own, default
// signal handling whatever ours is (we ignore SIGPIPE and block SIGTERM), and
// none of our descriptors. Ended, with its group, by a stop request and by a
// time limit. Used by ExecPlugin; not for programs that run beside us.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace kem {

struct Program {
  // Looked up in PATH when there is no slash in it.
  std::string command;
  std::vector<std::string> args;         // without the program's own name
  std::vector<std::string> environment;  // all of it: "NAME=value"
  std::chrono::milliseconds limit{30000};
  size_t max_output = size_t{1} << 20;
};

struct ProgramEnd {
  enum class How {
    kNotStarted,  // code: errno
    kExited,      // code: the exit code
    kSignalled,   // code: the signal's number
    kTimeout,     // past the limit; killed
    kTooLarge,    // printed more than max_output; killed
    kStopped,     // the stop token was used; killed
  };
  How how = How::kNotStarted;
  int code = 0;
  std::string output;    // of stdout
  std::string messages;  // of stderr, the last 4 KiB
};

using ProgramRunner =
    std::function<ProgramEnd(const Program& program, std::stop_token stop)>;

// Blocks. What the program started and left behind when it exited by itself
// lives on, as with a shell. Thread-safe.
ProgramEnd RunProgram(const Program& program, std::stop_token stop);

}  // namespace kem
