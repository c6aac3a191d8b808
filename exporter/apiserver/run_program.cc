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

constexpr size_t kMaxMessages = 4096;
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

// Appends the bytes available now; false at the end of the pipe.
bool ReadSome(int fd, std::string& text) {
  std::array<char, 16384> buffer;
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got > 0) text.append(buffer.data(), static_cast<size_t>(got));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

// Reads both pipes until the child ends.
class Listener {
 public:
  Listener(const Program& program, Pipe& output, Pipe& messages)
      : program_(program), output_(output), messages_(messages) {}

  ProgramEnd Listen(Child& child, std::stop_token stop) {
    IoWaiter waiter(std::move(stop), program_.limit);
    while (true) {
      std::array<pollfd, 3> waits = {pollfd{output_.from.get(), POLLIN, 0},
                                     pollfd{messages_.from.get(), POLLIN, 0},
                                     pollfd{child.exit_fd(), POLLIN, 0}};
      const IoWaiter::Outcome outcome = waiter.Wait(
          waits, child.exit_fd() < 0 ? kPollInterval : program_.limit);
      if (outcome == IoWaiter::Outcome::kStopped) {
        return End(ProgramEnd::How::kStopped);
      }
      // Check for the end first: afterwards the output is complete.
      const bool ended = child.Reap(WNOHANG);
      if (!ended &&
          (outcome == IoWaiter::Outcome::kDeadline ||
           (outcome == IoWaiter::Outcome::kTimeout && child.exit_fd() >= 0))) {
        return End(ProgramEnd::How::kTimeout);
      }
      Read(ended);
      if (end_.output.size() > program_.max_output) {
        end_.output.clear();
        return End(ProgramEnd::How::kTooLarge);
      }
      if (ended) return Ended(child.status());
    }
  }

 private:
  // With `all`, often enough to drain full pipes (64 KiB).
  void Read(bool all) {
    for (int i = 0; i < (all ? 8 : 1); ++i) {
      if (output_.from.has_value() &&
          !ReadSome(output_.from.get(), end_.output)) {
        output_.from.Reset();
      }
      if (messages_.from.has_value() &&
          !ReadSome(messages_.from.get(), end_.messages)) {
        messages_.from.Reset();
      }
    }
    if (end_.messages.size() > kMaxMessages) {
      end_.messages.erase(0, end_.messages.size() - kMaxMessages);
    }
  }

  ProgramEnd Ended(int status) {
    const bool exited = WIFEXITED(status);
    end_.code = exited ? WEXITSTATUS(status) : WTERMSIG(status);
    return End(exited ? ProgramEnd::How::kExited : ProgramEnd::How::kSignalled);
  }

  ProgramEnd End(ProgramEnd::How how) {
    end_.how = how;
    return std::move(end_);
  }

  const Program& program_;
  Pipe& output_;
  Pipe& messages_;
  ProgramEnd end_;
};

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
  return Listener(program, output, messages).Listen(child, std::move(stop));
}

}  // namespace kem
