#include "reload.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>

#include "testing/fake_clock.h"
#include "testing/no_threads.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ReloadTest : public ::testing::Test {
 protected:
  void Start(std::vector<const char*> flags) {
    args_ = std::move(flags);
    args_.insert(args_.begin(), "kube-event-metrics");
    auto parsed = Parse();
    ASSERT_TRUE(std::holds_alternative<Options>(parsed));
    reloader_ = std::make_unique<Reloader>(
        std::get<Options>(parsed),
        [this] {
          on_parse();
          return Parse();
        },
        Reloader::Apply{
            [this](const auto& filter) { filters.push_back(filter); },
            [this](const auto& sinks) -> Result<void> {
              if (no_threads) return Error{ErrorCode::kInternal, "no threads"};
              sink_sets.push_back(sinks);
              return {};
            }},
        clock, stats);
  }
  std::variant<Options, Exit> Parse() {
    return ParseFlags(static_cast<int>(args_.size()), args_.data(),
                      [this](const std::string&) -> std::optional<std::string> {
                        return file;
                      });
  }
  Result<std::string> Reload(std::string text) {
    file = std::move(text);
    return Reload();
  }
  Result<std::string> Reload(
      std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    return reloader_->Reload(patience);
  }
  uint64_t Count(ReloadResult result) const {
    return stats.reloads[static_cast<size_t>(result)];
  }

  std::optional<std::string> file = "";
  std::function<void()> on_parse = [] {};
  bool no_threads = false;
  std::vector<FilterOptions> filters;
  std::vector<std::vector<SinkConfig>> sink_sets;
  FakeClock clock;
  ReloadStats stats;

 private:
  std::vector<const char*> args_;
  std::unique_ptr<Reloader> reloader_;
};

TEST_F(ReloadTest, TakesOverTheFilterOnce) {
  Start({"--config.file=c.yaml"});
  EXPECT_TRUE(Reload("kinds: [Node]"));
  EXPECT_TRUE(Reload("kinds: [Node]"));
  ASSERT_EQ(filters.size(), 1U);
  EXPECT_THAT(filters[0].kinds.include, ElementsAre("Node"));
  EXPECT_EQ(Reload("").value(), "reloaded");
  EXPECT_EQ(filters.size(), 2U);
  EXPECT_EQ(Count(ReloadResult::kSuccess), 3U);
}

TEST_F(ReloadTest, TakesOverTheTrustedNamespacesOnce) {
  Start({"--config.file=c.yaml"});
  EXPECT_EQ(Reload("scope.trusted-namespaces: [npd]").value(), "reloaded");
  EXPECT_EQ(Reload("scope.trusted-namespaces: [npd]").value(), "reloaded");
  ASSERT_EQ(filters.size(), 1U);
  EXPECT_THAT(filters[0].trusted_namespaces, ElementsAre("npd"));
  EXPECT_FALSE(Reload("scope.trusted-namespaces: ['(']"));
  EXPECT_EQ(filters.size(), 1U);
  EXPECT_EQ(Reload("").value(), "reloaded");
  EXPECT_THAT(filters.at(1).trusted_namespaces, IsEmpty());
}

TEST_F(ReloadTest, TakesOverTheSinksOnce) {
  Start({"--config.file=c.yaml"});
  EXPECT_TRUE(Reload("sinks: [{name: a, type: log}]"));
  EXPECT_TRUE(Reload("sinks: [{name: a, type: log}]\nkinds: [Node]"));
  ASSERT_EQ(sink_sets.size(), 1U);
  EXPECT_EQ(sink_sets[0].at(0).queue.name, "a");
  EXPECT_FALSE(Reload("sinks: [{name: a}]"));
  EXPECT_EQ(sink_sets.size(), 1U);
  EXPECT_EQ(Reload("").value(), "reloaded");
  EXPECT_THAT(sink_sets.at(1), IsEmpty());
}

TEST_F(ReloadTest, ABadFileChangesNothingAndTellsWhere) {
  Start({"--config.file=c.yaml"});
  const int64_t started = stats.success_micros;
  clock.Advance(std::chrono::minutes(1));
  const Result<std::string> result = Reload("kinds: [Node]\nreasons: ['(']");
  EXPECT_FALSE(result);
  EXPECT_EQ(result.error().message.rfind(
                "c.yaml line 2: reasons \"(\" is not a valid RE2", 0),
            0U);
  EXPECT_THAT(filters, IsEmpty());
  EXPECT_FALSE(stats.last_successful);
  EXPECT_EQ(stats.success_micros, started);
  EXPECT_EQ(Count(ReloadResult::kFailure), 1U);
  EXPECT_TRUE(Reload("kinds: [Node]"));
  EXPECT_TRUE(stats.last_successful);
  EXPECT_EQ(stats.success_micros, started + 60'000'000);
}

TEST_F(ReloadTest, SinksThatCannotStartChangeNothing) {
  Start({"--config.file=c.yaml"});
  const std::string both = "sinks: [{name: a, type: log}]\nkinds: [Node]";
  no_threads = true;
  const Result<std::string> result = Reload(both);
  EXPECT_FALSE(result);
  EXPECT_EQ(result.error().message, "no threads");
  EXPECT_THAT(filters, IsEmpty());
  EXPECT_FALSE(stats.last_successful);
  EXPECT_EQ(Count(ReloadResult::kFailure), 1U);
  no_threads = false;
  EXPECT_EQ(Reload(both).value(), "reloaded");
  EXPECT_EQ(sink_sets.size(), 1U);
  EXPECT_EQ(filters.size(), 1U);
}

TEST_F(ReloadTest, AFileThatIsGoneIsABadFile) {
  Start({"--config.file=c.yaml"});
  file.reset();
  const auto parsed = Parse();
  EXPECT_THAT(std::get<Exit>(parsed).problem,
              HasSubstr("the file c.yaml does not exist"));
}

TEST_F(ReloadTest, WhatCannotChangeIsToldAndIgnoredEachTime) {
  file = "watch: {timeout: 60s}";
  Start({"--config.file=c.yaml"});
  for (int i = 0; i < 2; ++i) {
    const Result<std::string> result =
        Reload("watch: {timeout: 90s}\nlog: {format: json}\nkinds: [Node]");
    EXPECT_TRUE(result);
    EXPECT_EQ(*result,
              "reloaded, but these need a restart: watch.timeout, "
              "log.format");
  }
  EXPECT_EQ(filters.size(), 1U);
}

TEST_F(ReloadTest, FlagsWinAgain) {
  Start({"--config.file=c.yaml", "--kinds=Pod"});
  EXPECT_EQ(Reload("kinds: [Node]").value(), "reloaded");
  EXPECT_THAT(filters, IsEmpty());
}

TEST_F(ReloadTest, WithoutAFileThereIsNothingToReload) {
  Start({});
  const Result<std::string> result = Reload("");
  EXPECT_FALSE(result);
  EXPECT_EQ(result.error().message,
            "there is nothing to reload: start with --config.file");
  EXPECT_TRUE(stats.last_successful);
  EXPECT_EQ(Count(ReloadResult::kFailure), 0U);
}

// Each parse waits until the file is released.
struct HangingFile {
  void Parse() {
    const int parse = ++parses;
    if (parse == 1) begun.set_value();
    if (parse == 2) second.set_value();
    go.wait();
  }

  std::promise<void> begun;
  std::promise<void> second;
  std::promise<void> released;
  std::shared_future<void> go = released.get_future().share();
  std::atomic<int> parses = 0;
};

TEST_F(ReloadTest, RequestsDuringAReloadThatHangsShareTheNextOne) {
  Start({"--config.file=c.yaml"});
  HangingFile hanging;
  on_parse = [&hanging] { hanging.Parse(); };
  constexpr char kInProgress[] =
      "the reload is in progress, the log shows its result";
  EXPECT_EQ(Reload(std::chrono::milliseconds(0)).error().message, kInProgress);
  hanging.begun.get_future().wait();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Reload(std::chrono::milliseconds(0)).error().message,
              kInProgress);
  }
  hanging.released.set_value();
  hanging.second.get_future().wait();
  EXPECT_TRUE(Reload());
  EXPECT_EQ(hanging.parses, 3);
}

// HTTP clients wait meanwhile: a hanging file may cost them one patience, and
// not one for each request.
TEST_F(ReloadTest, RequestsDuringAReloadWaitForTheRestOfItsPatience) {
  Start({"--config.file=c.yaml"});
  HangingFile hanging;
  on_parse = [&hanging] { hanging.Parse(); };
  EXPECT_FALSE(Reload(std::chrono::milliseconds(0)));
  hanging.begun.get_future().wait();
  clock.Advance(std::chrono::hours(1));
  // A wait would last for the whole time limit of the tests.
  EXPECT_EQ(Reload(std::chrono::hours(1)).error().message,
            "the reload is in progress, the log shows its result");
  hanging.released.set_value();
  hanging.second.get_future().wait();
  EXPECT_TRUE(Reload());
}

TEST_F(ReloadTest, AReloadForWhichTheSystemHasNoThread) {
  Start({"--config.file=c.yaml"});
  {
    const NoThreads none;
    EXPECT_THAT(Reload().error().message,
                StartsWith("cannot start a thread: "));
  }
  EXPECT_FALSE(stats.last_successful);
  EXPECT_EQ(Count(ReloadResult::kFailure), 1U);
  EXPECT_TRUE(Reload());
  EXPECT_TRUE(stats.last_successful);
}

}  // namespace
}  // namespace kem
