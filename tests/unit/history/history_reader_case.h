// A history with some Events, and questions to it. Used by the tests of
// HistoryReader, which are in two files.
// Each test has a folder of its own.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "history/history_file.h"
#include "history/history_reader.h"
#include "testing/fake_clock.h"
#include "testing/temp_folder.h"
#include "unit/history/sample_events.h"

// A question of a test has only what it asks for.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace kem {

class HistoryReaderTest : public ::testing::Test {
 protected:
  // One minute after the one before.
  void Add(const Occurrence& occurrence) {
    const Result<void> added = file_.Append(std::vector{occurrence});
    ASSERT_TRUE(added) << added.error().message;
    clock_.Advance(std::chrono::minutes(1));
  }
  // n1 and n2 are Nodes, p1 and p2 Pods of the namespaces team and other.
  void AddSamples() {
    Occurrence two = SampleOccurrence("b");
    two.object_name = two.host = "n2";
    two.object_uid = "u-n2";
    two.reason = "NodeReady";
    two.type = "Normal";
    two.message = "Node n2 is ready";
    Occurrence pod = SampleOccurrence("c");
    pod.kind = "Pod";
    pod.scope = Scope::kNamespaced;
    pod.event_namespace = pod.object_namespace = "team";
    pod.object_name = "p1";
    pod.reason = "Failed";
    pod.message = "Back-off pulling image \"a/b:1\"";
    Occurrence other = pod;
    other.uid = "d";
    other.event_namespace = other.object_namespace = "other";
    other.object_name = "p2";
    other.host = "";
    other.reporting_component = "scheduler";
    Add(SampleOccurrence("a"));
    Add(two);
    Add(pod);
    Add(other);
    Add(SampleOccurrence("a", 3, 2));
  }
  FoundEvents Find(const EventQuery& query) {
    Result<FoundEvents> found = reader_.FindEvents(query, {});
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : FoundEvents();
  }
  std::string Uids(const EventQuery& query) {
    std::string uids;
    for (const FoundEvent& event : Find(query).events) uids += event.uid;
    return uids;
  }
  std::string Names(const EventQuery& query) {
    std::string names;
    const Result<FoundObjects> found = reader_.FindObjects(query, {});
    if (!found) return found.error().message;
    for (const FoundObject& object : found->objects) {
      names += object.name + ":" + std::to_string(object.events) + "/" +
               std::to_string(object.warnings) + " ";
    }
    return names;
  }

  TempFolder folder_;
  const std::string path_ = folder_.path() + "/history.db";
  FakeClock clock_;
  HistoryStatus status_;
  HistoryFile file_{path_, {}, clock_, status_};
  HistoryReader reader_{path_, clock_, status_};
};

}  // namespace kem
