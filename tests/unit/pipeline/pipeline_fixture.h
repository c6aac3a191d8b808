// For tests from JSON to series and outboxes: a world in which discovery fails,
// so that scope comes from the built-in table, and a pipeline that takes lists
// and watch events as text.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "events/discovery.h"
#include "pipeline/pipeline.h"
#include "testing/event_json.h"
#include "testing/fake_clock.h"
#include "testing/scripted_transport.h"

namespace kem {

class PipelineFixture : public ::testing::Test {
 protected:
  // Known reasons would add series that no test is about.
  PipelineFixture() { world.preset_reasons = false; }

  void Stage(const std::vector<std::string>& items) {
    pipeline.BeginList();
    for (const std::string& item : items) {
      EXPECT_TRUE(pipeline.StageItem(PaddedJson(item).view()));
    }
  }
  // At resourceVersion 100, before all Events' times.
  void Commit(bool new_epoch = false) {
    pipeline.CommitList({100, WallTime(), new_epoch, false});
  }
  void List(const std::vector<std::string>& items) {
    Stage(items);
    Commit();
  }
  void Frame(const std::string& object, const std::string& type = "ADDED") {
    const std::string frame =
        R"({"type":")" + type + R"(","object":)" + object + "}";
    pipeline.ApplyFrame(PaddedJson(frame).view());
  }

  FakeClock clock;
  ScriptedTransport transport;
  Discovery discovery{transport, clock};
  Ledger ledger{{std::chrono::seconds(0), 100, std::chrono::hours(1)},
                Hasher()};
  EventWorld world{discovery, clock, std::chrono::hours(1), ledger};
  Pipeline pipeline{world, "", clock, {}};
};

}  // namespace kem
