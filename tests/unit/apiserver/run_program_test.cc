// Real programs: their input and environment, and how they end.
#include "apiserver/run_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "unit/net/test_server.h"

namespace kem {
namespace {

using How = ProgramEnd::How;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

Program Shell(const std::string& script) {
  Program program;
  program.command = "sh";
  program.args = {"-c", script, "name", "two words", "$HOME;"};
  program.environment = {"A=b c", "PATH=/usr/bin:/bin"};
  return program;
}

TEST(RunProgramTest, KeepsWhatIsPrinted) {
  const ProgramEnd end =
      RunProgram(Shell("echo \"$A|$1|$2|$#\"; echo why >&2; exit 3"), {});
  EXPECT_EQ(end.how, How::kExited);
  EXPECT_EQ(end.code, 3);
  EXPECT_EQ(end.output, "b c|two words|$HOME;|2\n");
  EXPECT_EQ(end.messages, "why\n");
}

TEST(RunProgramTest, GivesAnEmptyInputAndNoDescriptors) {
  const ProgramEnd end = RunProgram(Shell("cat; ls /proc/self/fd"), {});
  // 3 is the directory that ls reads.
  EXPECT_EQ(end.output, "0\n1\n2\n3\n");
}

TEST(RunProgramTest, GivesDefaultSignalHandling) {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  const ProgramEnd end =
      RunProgram(Shell("grep -E 'Sig(Blk|Ign)' /proc/self/status"), {});
  EXPECT_THAT(end.output, HasSubstr("SigBlk:\t0000000000000000"));
  // glibc keeps its two internal signals, 32 and 33, ignored.
  EXPECT_THAT(end.output,
              testing::ContainsRegex("SigIgn:\t0000000[01][08]0000000\n"));
  EXPECT_EQ(RunProgram(Shell("kill -TERM $$"), {}).code, SIGTERM);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(RunProgramTest, TellsWhatCannotBeStarted) {
  Program program;
  program.command = "/no/such/program";
  EXPECT_EQ(RunProgram(program, {}).how, How::kNotStarted);
  EXPECT_EQ(RunProgram(program, {}).code, ENOENT);
  program.command = "no-such-program-anywhere";
  EXPECT_EQ(RunProgram(program, {}).code, ENOENT);
  program.command = "/etc/passwd";
  EXPECT_EQ(RunProgram(program, {}).code, EACCES);
}

TEST(RunProgramTest, EndsTheWholeGroupAtTheLimit) {
  Program program = Shell("sleep 1000 & echo $!; wait");
  program.limit = milliseconds(300);
  const ProgramEnd end = RunProgram(program, {});
  EXPECT_EQ(end.how, How::kTimeout);
  const std::string child = end.output.substr(0, end.output.find('\n'));
  ASSERT_FALSE(child.empty());
  // Gone, or a zombie that this process cannot reap.
  const ProgramEnd look = RunProgram(
      Shell("grep State /proc/" + child + "/status 2>/dev/null"), {});
  EXPECT_THAT(look.output, Not(HasSubstr("sleeping")));
}

TEST(RunProgramTest, EndsWhoPrintsTooMuch) {
  Program program = Shell("yes");
  program.max_output = 100000;
  const ProgramEnd end = RunProgram(program, {});
  EXPECT_EQ(end.how, How::kTooLarge);
  EXPECT_EQ(end.output, "");
}

TEST(RunProgramTest, KeepsTheBeginningAndTheEndOfManyMessages) {
  const ProgramEnd end = RunProgram(
      Shell("echo first >&2; yes x | head -c 300000 >&2; echo last >&2"), {});
  EXPECT_EQ(end.how, How::kExited);
  EXPECT_EQ(end.messages.size(), 65536U);
  EXPECT_TRUE(end.messages.starts_with("first\nx\n"));
  EXPECT_TRUE(end.messages.ends_with("x\nlast\n"));
}

TEST(RunProgramTest, DoesNotWaitForWhatWasLeftBehind) {
  // The grandchild keeps the pipes open.
  const ProgramEnd end = RunProgram(Shell("sleep 1000 & echo $!"), {});
  EXPECT_EQ(end.how, How::kExited);
  EXPECT_EQ(RunProgram(Shell("kill " + end.output), {}).code, 0);
}

TEST(RunProgramTest, EndsAtAStop) {
  std::stop_source stop;
  Signal ended;
  ProgramEnd end;
  std::jthread thread([&] {
    end = RunProgram(Shell("sleep 1000"), stop.get_token());
    ended.Set();
  });
  stop.request_stop();
  ended.Wait();
  EXPECT_EQ(end.how, How::kStopped);
}

}  // namespace
}  // namespace kem
