// When a credential plugin runs, and the errors when it fails.
#include "apiserver/exec_plugin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <mutex>
#include <thread>
#include <vector>

#include "base/rfc3339.h"
#include "testing/fake_clock.h"
#include "unit/net/test_server.h"

namespace kem {
namespace {

using How = ProgramEnd::How;
using testing::HasSubstr;
using testing::Not;

ExecConfig Config() {
  ExecConfig config;
  config.command = "get-token";
  config.args = {"--now"};
  config.env = {"A=b", "KUBERNETES_EXEC_INFO={}"};
  config.api_version = "client.authentication.k8s.io/v1";
  return config;
}

ProgramEnd Prints(const std::string& token, const std::string& expires = "") {
  ProgramEnd end{How::kExited, 0, "", ""};
  end.output =
      R"({"kind":"ExecCredential","apiVersion":)"
      R"("client.authentication.k8s.io/v1","status":{"token":")" +
      token + "\"" +
      (expires.empty() ? "" : R"(,"expirationTimestamp":")" + expires + "\"") +
      "}}";
  return end;
}

// Returns the given ends, one per run, and counts the runs.
class ExecPluginTest : public testing::Test {
 protected:
  ProgramEnd Run(const Program& program, const std::stop_token&) {
    const std::lock_guard lock(mutex_);
    programs_.push_back(program);
    if (ends_.empty()) return {};
    ProgramEnd end = ends_.front();
    ends_.erase(ends_.begin());
    return end;
  }
  // The token, or the error's message.
  std::string Get(uint64_t refused = 0) {
    const Result<ExecPlugin::Issued> issued = plugin_.Get(refused, {});
    return issued ? issued->credential->token : issued.error().message;
  }

  FakeClock clock_;
  std::mutex mutex_;
  std::vector<ProgramEnd> ends_;
  std::vector<Program> programs_;
  ExecPlugin plugin_{Config(), clock_,
                     [this](const Program& program, std::stop_token stop) {
                       return Run(program, stop);
                     }};
};

TEST_F(ExecPluginTest, RunsOnceForATokenWithoutAnEnd) {
  ends_ = {Prints("one"), Prints("two")};
  EXPECT_EQ(Get(), "one");
  clock_.Advance(std::chrono::hours(1000));
  EXPECT_EQ(Get(), "one");
  ASSERT_EQ(programs_.size(), 1U);
  EXPECT_EQ(programs_[0].command, "get-token");
  EXPECT_THAT(programs_[0].args, testing::ElementsAre("--now"));
  EXPECT_THAT(programs_[0].environment, testing::IsSupersetOf({"A=b"}));
}

TEST_F(ExecPluginTest, RunsAgainAfterTheTokensEnd) {
  const WallTime end = clock_.WallNow() + std::chrono::minutes(10);
  ends_ = {Prints("one", FormatRfc3339Millis(end)), Prints("two")};
  EXPECT_EQ(Get(), "one");
  clock_.Advance(std::chrono::minutes(9));
  EXPECT_EQ(Get(), "one");
  clock_.Advance(std::chrono::minutes(2));
  EXPECT_EQ(Get(), "two");
}

TEST_F(ExecPluginTest, RunsAgainWhenTheTokenIsRefused) {
  ends_ = {Prints("one"), Prints("two"), Prints("three")};
  EXPECT_EQ(Get(), "one");
  EXPECT_EQ(Get(1), "two");
  // Another thread reports the first one as refused, after its replacement.
  EXPECT_EQ(Get(1), "two");
  EXPECT_EQ(Get(), "two");
  EXPECT_EQ(Get(2), "three");
  EXPECT_EQ(programs_.size(), 3U);
}

TEST_F(ExecPluginTest, TriesAgainAfterAFailure) {
  ends_ = {ProgramEnd{How::kExited, 1, "", ""}, Prints("one")};
  EXPECT_THAT(Get(), HasSubstr("exited with code 1"));
  EXPECT_EQ(Get(), "one");
}

TEST_F(ExecPluginTest, TellsHowItFailed) {
  const std::string name = "credential plugin get-token";
  ExecConfig hinted = Config();
  hinted.install_hint = "apt install\nit";
  const std::pair<ProgramEnd, std::string> cases[] = {
      {{How::kNotStarted, ENOENT, "", ""},
       name + " failed to start (No such file or directory); install it, or "
              "correct the kubeconfig's command"},
      {{How::kExited, 254, "", "more\r\n  Token  has expired\n \n"},
       name + " exited with code 254: more; Token has expired"},
      {{How::kSignalled, 11, "", ""}, name + " was killed by signal 11"},
      {{How::kTimeout, 0, "", "waiting\x1b[0m"},
       name + " did not finish within 30 s and was killed: waiting [0m"},
      {{How::kTooLarge, 0, "", ""},
       name + " printed more than 1 MiB and was killed"},
      {{How::kExited, 0, "no", ""},
       name + ": its output is not an ExecCredential"},
      {{How::kStopped, 0, "", ""}, "stopped"},
  };
  for (const auto& [end, sentence] : cases) {
    ends_ = {end};
    EXPECT_EQ(Get(), sentence);
  }
  ExecPlugin missing(hinted, clock_, [](const Program&, std::stop_token) {
    return ProgramEnd{How::kNotStarted, ENOENT, "", ""};
  });
  EXPECT_EQ(missing.Get(0, {}).error().message,
            name +
                " failed to start (No such file or directory); apt "
                "install it");
}

// The cause may be in the first line, before advice, or in the last one, after
// a trace.
TEST_F(ExecPluginTest, ShowsTheBeginningAndTheLastLineOfManyWords) {
  std::string trace = "the cause is here\n";
  for (int i = 0; i < 100; ++i)
    trace += "  at line " + std::to_string(i) + "\n";
  ends_ = {{How::kExited, 1, "", trace + "and the cause is there, too\n"}};
  const std::string sentence = Get();
  EXPECT_THAT(sentence,
              testing::StartsWith("credential plugin get-token exited with "
                                  "code 1: the cause is here; at line 0; at "
                                  "line 1; "));
  EXPECT_THAT(sentence, testing::EndsWith(" ... and the cause is there, too"));
  EXPECT_LE(sentence.size(), 600U);
  ends_ = {{How::kExited, 1, "", std::string(1000, ' ') + "a b"}};
  EXPECT_THAT(Get(), testing::EndsWith(" code 1: a b"));
  std::string words;
  for (int i = 0; i < 1000; ++i) words += "w" + std::to_string(i) + " ";
  ends_ = {{How::kExited, 1, "", words}};
  EXPECT_LE(Get().size(), 600U);
}

TEST_F(ExecPluginTest, QuotesNoSecret) {
  const std::string token(200, 't');
  ends_ = {
      {How::kExited, 1, Prints("hush").output, "bad: " + token + " sorry"}};
  const std::string sentence = Get();
  EXPECT_THAT(sentence, HasSubstr("bad: ... sorry"));
  EXPECT_THAT(sentence, Not(HasSubstr("hush")));
}

TEST(ExecPluginThreadsTest, OneRunServesAllWhoWait) {
  const FakeClock clock;
  Signal running;
  Signal finish;
  int runs = 0;
  ExecPlugin plugin(Config(), clock, [&](const Program&, std::stop_token) {
    ++runs;
    running.Set();
    finish.Wait();
    return Prints("one");
  });
  std::string first;
  std::string second;
  std::jthread one([&] { first = plugin.Get(0, {})->credential->token; });
  running.Wait();
  std::jthread two([&] { second = plugin.Get(0, {})->credential->token; });
  // A stopped caller does not wait for the run.
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(plugin.Get(0, stop.get_token()).error().code,
            ErrorCode::kCancelled);
  finish.Set();
  one.join();
  two.join();
  EXPECT_EQ(first, "one");
  EXPECT_EQ(second, "one");
  EXPECT_EQ(runs, 1);
}

TEST(ExecPluginThreadsTest, AValidCredentialIsNotHeldUpByARun) {
  const FakeClock clock;
  Signal running;
  Signal finish;
  int runs = 0;
  ExecPlugin plugin(Config(), clock, [&](const Program&, std::stop_token) {
    if (++runs == 2) {
      running.Set();
      finish.Wait();
    }
    return Prints("t" + std::to_string(runs));
  });
  EXPECT_EQ(plugin.Get(0, {})->number, 1U);
  std::jthread refused([&] { EXPECT_EQ(plugin.Get(1, {})->number, 2U); });
  running.Wait();
  EXPECT_EQ(plugin.Get(0, {})->number, 1U);
  finish.Set();
}

}  // namespace
}  // namespace kem
