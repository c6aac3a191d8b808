// JSON lines, in a file that may be rotated.
#include "sinks/log_sink.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file_reader.h"
#include "testing/temp_folder.h"
#include "unit/sinks/deliveries.h"

namespace kem {
namespace {

using ::testing::HasSubstr;

Occurrence RebootedWorker() {
  Occurrence one;
  one.event_namespace = "default";
  one.name = "worker-1.17";
  one.uid = "u-1";
  one.resource_version = 812;
  one.api_version = "v1";
  one.kind = "Node";
  one.object_name = "worker-1";
  one.reason = "Rebooted";
  one.type = "Warning";
  one.reporting_component = "kubelet";
  one.host = "worker-1";
  one.message = "it \"did\"\nagain";
  one.delta = 2;
  one.count = 5;
  one.first_seen = WallTime(std::chrono::seconds(1'795'435'100));
  one.occurred_at = WallTime(std::chrono::seconds(1'795'435'200));
  return one;
}

class LogSinkTest : public ::testing::Test {
 protected:
  Delivery Deliver(const Occurrence& one) {
    return sink.Deliver(std::span(&one, 1), stop.get_token());
  }
  std::string Text(const std::string& name = "log") {
    const Result<std::string> text = ReadFile(folder.path() + "/" + name);
    return text ? *text : text.error().message;
  }

  TempFolder folder;
  std::stop_source stop;
  const RecordConstants constants{{{"k8s.cluster.name", "prod"}},
                                  {{"team", "infra"}}};
  LogSink sink{folder.path() + "/log", constants};
};

TEST_F(LogSinkTest, ALineHasAllFields) {
  EXPECT_EQ(Deliver(RebootedWorker()).done, 1U);
  EXPECT_EQ(Text(),
            R"({"time":"2026-11-23T12:00:00.000Z","severity":"Warning",)"
            R"("body":"it \"did\"\nagain","log.record.uid":"u-1/5",)"
            R"("kube_event.scope":"cluster","kube_event.delta":2,)"
            R"("k8s.event.count":5,)"
            R"("k8s.event.start_time":"2026-11-23T11:58:20.000Z",)"
            R"("k8s.event.reason":"Rebooted",)"
            R"("k8s.event.name":"worker-1.17",)"
            R"("k8s.event.namespace":"default","k8s.event.uid":"u-1",)"
            R"("k8s.event.reporting_controller":"kubelet",)"
            R"("kube_event.reporting_host":"worker-1",)"
            R"("k8s.object.kind":"Node","k8s.object.name":"worker-1",)"
            R"("k8s.object.api_version":"v1","k8s.node.name":"worker-1",)"
            R"("team":"infra","k8s.cluster.name":"prod"})"
            "\n");
}

TEST_F(LogSinkTest, EscapesWhatHidesOrTurnsText) {
  Occurrence one = RebootedWorker();
  one.message = "a\u009B31m\x7F\u202Eb\u2028\uFEFF ä";
  one.reason = "\u2066R";
  Deliver(one);
  EXPECT_THAT(Text(), HasSubstr("\"body\":\"a\\u009b31m\\u007f\\u202eb"
                                "\\u2028\\ufeff ä\""));
  EXPECT_THAT(Text(), HasSubstr("\"k8s.event.reason\":\"\\u2066R\""));
}

TEST_F(LogSinkTest, AFileThatWasMovedIsLeftAndANewOneBegun) {
  Deliver(RebootedWorker());
  std::filesystem::rename(folder.path() + "/log", folder.path() + "/log.1");
  Deliver(RebootedWorker());
  Deliver(RebootedWorker());
  const auto lines = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(lines(Text("log.1")), 1);
  EXPECT_EQ(lines(Text("log")), 2);
}

TEST_F(LogSinkTest, WhatIsFoundCutStaysALineOfItsOwn) {
  for (const std::string before : {"", "whole\n", "whole\ncut"}) {
    std::ofstream(folder.path() + "/log") << before;
    LogSink reopened(folder.path() + "/log", constants);
    const Occurrence one = RebootedWorker();
    EXPECT_EQ(reopened.Deliver(std::span(&one, 1), stop.get_token()).done, 1U);
    std::string line;
    AppendLogLine(one, constants, line);
    EXPECT_EQ(Text(), before + (before.ends_with("cut") ? "\n" : "") + line);
  }
}

TEST_F(LogSinkTest, TextThatIsNoUtf8IsStillALineOfJson) {
  Occurrence one = RebootedWorker();
  one.message = "\xff\xfe";
  EXPECT_EQ(Deliver(one).done, 1U);
  EXPECT_TRUE(nlohmann::json::accept(Text()));
}

TEST_F(LogSinkTest, ANamedPipeWithoutAReaderIsAFailure) {
  ASSERT_EQ(::mkfifo((folder.path() + "/log").c_str(), 0600), 0);
  const Delivery delivery = Deliver(RebootedWorker());
  EXPECT_EQ(delivery.done, 0U);
  EXPECT_THAT(Problem(delivery), HasSubstr("cannot open"));
}

TEST_F(LogSinkTest, AMissingFolderIsAFailure) {
  LogSink lost(folder.path() + "/no/log");
  const Occurrence one = RebootedWorker();
  const Delivery delivery = lost.Deliver(std::span(&one, 1), stop.get_token());
  EXPECT_EQ(delivery.done, 0U);
  EXPECT_THAT(Problem(delivery), HasSubstr("/no/log: No such file"));
}

}  // namespace
}  // namespace kem
