#include "apiserver/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/io_waiter.h"
#include "base/unique_fd.h"

namespace kem {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMaxMessages = size_t{64} << 10;
// For kernels before 5.3 and sandboxes, which lack pidfd_open.
constexpr milliseconds kPollInterval{50};

struct Pipe {
  UniqueFd from;  // non-blocking
  UniqueFd to;
};

bool Open(Pipe& made) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  made.from = UniqueFd(ends[0]);
  made.to = UniqueFd(ends[1]);
  return ::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

// The attributes for posix_spawn; error_ is the first errno.
class SpawnPlan {
 public:
  SpawnPlan(const Pipe& output, const Pipe& messages) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    Try(::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY,
                                           0));
    Try(::posix_spawn_file_actions_adddup2(&actions_, output.to.get(), 1));
    Try(::posix_spawn_file_actions_adddup2(&actions_, messages.to.get(), 2));
    // Libraries may open descriptors without close-on-exec.
    Try(::posix_spawn_file_actions_addclosefrom_np(&actions_, 3));
    sigset_t signals;
    sigemptyset(&signals);
    Try(::posix_spawnattr_setsigmask(&attributes_, &signals));
    sigfillset(&signals);
    sigdelset(&signals, SIGKILL);
    sigdelset(&signals, SIGSTOP);
    Try(::posix_spawnattr_setsigdefault(&attributes_, &signals));
    Try(::posix_spawnattr_setpgroup(&attributes_, 0));
    Try(::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK |
                                                     POSIX_SPAWN_SETSIGDEF |
                                                     POSIX_SPAWN_SETPGROUP));
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  // 0, with `pid`, or an errno.
  int Spawn(const Program& program, pid_t& pid) const {
    if (error_ != 0) return error_;
    // posix_spawn takes char*, but does not write to it.
    std::vector<char*> args{const_cast<char*>(program.command.c_str())};
    for (const std::string& arg : program.args) {
      args.push_back(const_cast<char*>(arg.c_str()));
    }
    args.push_back(nullptr);
    std::vector<char*> environment;
    for (const std::string& variable : program.environment) {
      environment.push_back(const_cast<char*>(variable.c_str()));
    }
    environment.push_back(nullptr);
    return ::posix_spawnp(&pid, program.command.c_str(), &actions_,
                          &attributes_, args.data(), environment.data());
  }

 private:
  void Try(int result) {
    if (error_ == 0) error_ = result;
  }

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  int error_ = 0;
};

// A process that was started and not yet waited for.
class Child {
 public:
  explicit Child(pid_t pid)
      : pid_(pid), exit_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    Reap(0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Readable once the process has ended; -1 without pidfd_open.
  int exit_fd() const { return exit_.get(); }
  int status() const { return status_; }

  // True when it has ended.
  bool Reap(int options) {
    pid_t ended = 0;
    do {
      ended = ::waitpid(pid_, &status_, options);
    } while (ended < 0 && errno == EINTR);
    if (ended == 0) return false;
    pid_ = 0;
    return true;
  }

 private:
  pid_t pid_;
  const UniqueFd exit_;
  int status_ = 0;
};

// Appends what the pipe has, once or, with `all`, often enough to drain a full
// one (64 KiB). Closes it at its end.
void Read(Pipe& pipe, bool all, std::string& text) {
  std::array<char, 16384> buffer;
  for (int i = 0; i < (all ? 8 : 1) && pipe.from.has_value(); ++i) {
    const ssize_t got = ::read(pipe.from.get(), buffer.data(), buffer.size());
    if (got > 0) {
      text.append(buffer.data(), static_cast<size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      pipe.from.Reset();
    }
  }
}

// Reads both pipes until the child ends or has to be killed.
ProgramEnd Listen(const Program& program, Pipe& output, Pipe& messages,
                  Child& child, std::stop_token stop) {
  using enum ProgramEnd::How;
  ProgramEnd end;
  IoWaiter waiter(std::move(stop), program.limit);
  while (true) {
    std::array<pollfd, 3> waits = {pollfd{output.from.get(), POLLIN, 0},
                                   pollfd{messages.from.get(), POLLIN, 0},
                                   pollfd{child.exit_fd(), POLLIN, 0}};
    const bool polling = child.exit_fd() < 0;
    const IoWaiter::Outcome outcome =
        waiter.Wait(waits, polling ? kPollInterval : program.limit);
    if (outcome == IoWaiter::Outcome::kStopped) {
      end.how = kStopped;
      return end;
    }
    // Check for the end first: afterwards the output is complete.
    const bool ended = child.Reap(WNOHANG);
    if (!ended && (outcome == IoWaiter::Outcome::kDeadline ||
                   (outcome == IoWaiter::Outcome::kTimeout && !polling))) {
      end.how = kTimeout;
      return end;
    }
    Read(output, ended, end.output);
    Read(messages, ended, end.messages);
    if (end.messages.size() > kMaxMessages) {
      end.messages.erase(kMaxMessages / 2, end.messages.size() - kMaxMessages);
    }
    if (end.output.size() > program.max_output) {
      end.output.clear();
      end.how = kTooLarge;
      return end;
    }
    if (ended) {
      const bool exited = WIFEXITED(child.status());
      end.how = exited ? kExited : kSignalled;
      end.code =
          exited ? WEXITSTATUS(child.status()) : WTERMSIG(child.status());
      return end;
    }
  }
}

}  // namespace

ProgramEnd RunProgram(const Program& program, std::stop_token stop) {
  Pipe output;
  Pipe messages;
  ProgramEnd end;
  pid_t pid = 0;
  if (!Open(output) || !Open(messages)) {
    end.code = errno;
    return end;
  }
  end.code = SpawnPlan(output, messages).Spawn(program, pid);
  if (end.code != 0) return end;
  Child child(pid);
  // Only the child may write, so that the pipes end when it does.
  output.to.Reset();
  messages.to.Reset();
  return Listen(program, output, messages, child, std::move(stop));
}

}  // namespace kem
