// Files as kubectl prints them, to the exposition that --once prints.
#include "offline/offline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "testing/event_json.h"

namespace kem {
namespace {

using testing::HasSubstr;
using testing::Not;

class OfflineTest : public testing::Test {
 protected:
  // What --once prints; its exit code in code_, its log in log_.
  std::string Print(const std::string& input) {
    const std::string path =
        testing::TempDir() + "offline_test_" +
        testing::UnitTest::GetInstance()->current_test_info()->name();
    std::ofstream(path) << input;
    return PrintFile(path);
  }
  std::string PrintFile(const std::string& path) {
    Options options = options_;
    options.events_from = path;
    options.once = true;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    code_ = RunOffline(options, TerminationSignals());
    log_ = testing::internal::GetCapturedStderr();
    return testing::internal::GetCapturedStdout();
  }

  static EventJson Node(const std::string& version, const std::string& count) {
    EventJson json;
    json.version = version;
    json.count = count;
    return json;
  }
  static std::string List(const std::vector<std::string>& items) {
    std::string list = R"({"apiVersion":"v1","kind":"List","items":[)";
    for (size_t i = 0; i < items.size(); ++i) {
      list += (i == 0 ? "" : ",") + items[i];
    }
    return list + R"(],"metadata":{"resourceVersion":""}})";
  }

  // The same Event in the names of events.k8s.io/v1.
  static std::string InEventsV1(std::string json) {
    const std::pair<const char*, const char*> names[] = {
        {"\"apiVersion\":\"v1\",\"metadata\"",
         "\"apiVersion\":\"events.k8s.io/v1\",\"metadata\""},
        {"\"involvedObject\":", "\"regarding\":"},
        {"\"message\":", "\"note\":"},
        {"\"source\":", "\"deprecatedSource\":"},
        {"\"firstTimestamp\":", "\"deprecatedFirstTimestamp\":"},
        {"\"lastTimestamp\":", "\"deprecatedLastTimestamp\":"},
        {"\"count\":", "\"deprecatedCount\":"},
        {"\"reportingComponent\":", "\"reportingController\":"}};
    for (const auto& [core, other] : names) {
      json.replace(json.find(core), std::string(core).size(), other);
    }
    return json;
  }

  Options options_;
  int code_ = -1;
  std::string log_;
};

TEST_F(OfflineTest, ReplacesLoneSurrogatesAsKubectlDoes) {
  EventJson json = Node("235", "3");
  json.reason = R"("Odd\ud800Reason")";
  const std::string printed = Print(List({json.Object()}));
  EXPECT_EQ(code_, 0) << log_;
  EXPECT_THAT(printed, HasSubstr("reason=\"Odd\uFFFDReason\""));
}

TEST_F(OfflineTest, WarnsThatNothingIsDelivered) {
  Print(List({}));
  EXPECT_THAT(log_, Not(HasSubstr("passed on")));
  options_.sinks.resize(2);
  Print(List({}));
  EXPECT_EQ(code_, 0);
  EXPECT_THAT(log_, HasSubstr("delivers nothing, ignoring the sinks"));
}

constexpr char kCounted[] = "kube_event_occurrences_total{scope=\"cluster\"";

std::string Sample(const std::string& text, const std::string& begins) {
  const size_t at = ("\n" + text).find("\n" + begins);
  if (at == std::string::npos) return "absent";
  const std::string line = text.substr(at, text.find('\n', at) - at);
  return line.substr(line.rfind(' ') + 1);
}

TEST_F(OfflineTest, CountsEachEventOfADumpInFull) {
  EventJson second = Node("8", "2");
  second.name = "other";
  const std::string text =
      Print(List({Node("7", "5").Object(), second.Object()}));
  EXPECT_EQ(code_, 0) << log_;
  EXPECT_EQ(Sample(text, kCounted), "7");
  EXPECT_EQ(Sample(text, "kube_event_metrics_synced"), "1");
  EXPECT_THAT(log_, Not(HasSubstr("level=warn")));
}

TEST_F(OfflineTest, CountsWhatEachFrameAdds) {
  const std::string text =
      Print(Node("7", "5").Frame("ADDED") + Node("8", "6").Frame("MODIFIED") +
            "\n" + Node("8", "6").Frame("MODIFIED") + "\n" +
            Node("9", "6").Frame("DELETED") + Node("10", "9").Object());
  EXPECT_EQ(code_, 0) << log_;
  EXPECT_EQ(Sample(text, kCounted), "9");
  EXPECT_EQ(
      Sample(text, "kube_event_metrics_watch_events_total{type=\"DELETED\"}"),
      "1");
}

// As kubectl get events,events.events.k8s.io -A -o json prints them.
TEST_F(OfflineTest, CountsAnEventOfBothApisOnce) {
  EventJson core = Node("7", "25");
  EventJson series = Node("8", "6");
  series.name = "series";
  std::vector<std::string> items = {core.Object(), series.Object()};
  for (const std::string& item : {core.Object(), series.Object()}) {
    items.push_back(InEventsV1(item));
  }
  const std::string text = Print(List(items));
  EXPECT_EQ(code_, 0) << log_;
  EXPECT_EQ(Sample(text, kCounted), "31");
  EXPECT_EQ(Sample(text, "kube_event_active{scope=\"cluster\""), "2");
}

// As the k8sobjects receiver of the OpenTelemetry collector writes them: the
// object first, in the other API's names. Another client adds a copy.
TEST_F(OfflineTest, CountsTheLinesOfACollector) {
  const auto line = [](const EventJson& json, const std::string& type) {
    return R"({"raw_object":{"kind":"Event","count":99},"object":)" +
           InEventsV1(json.Object()) + R"(,"type":")" + type + "\"}\n";
  };
  EventJson other = Node("12", "6");
  other.name = "other";
  EventJson gone = other;
  gone.version = "13";
  const std::string text =
      Print(line(Node("7", "25"), "ADDED") + line(Node("9", "27"), "MODIFIED") +
            line(other, "ADDED") + line(gone, "DELETED"));
  EXPECT_EQ(code_, 0) << log_;
  EXPECT_EQ(Sample(text, kCounted), "33");
  EXPECT_EQ(Sample(text, "kube_event_active{scope=\"cluster\""), "1");
}

// As a collector that pulls writes them: all Events again and again.
TEST_F(OfflineTest, CountsWhatEachListOfManyAdds) {
  EventJson other = Node("8", "1");
  other.name = "other";
  EventJson late = Node("20", "2");
  late.name = "late";
  const std::string text =
      Print(List({Node("7", "4").Object(), other.Object()}) + "\n" +
            List({Node("15", "9").Object(), other.Object()}) + "\n" +
            List({late.Object(), Node("15", "9").Object()}));
  EXPECT_EQ(code_, 0) << log_;
  EXPECT_EQ(Sample(text, kCounted), "12");
}

TEST_F(OfflineTest, CountsByTheFilters) {
  EventJson pod = Node("8", "2");
  pod.name = "pod";
  pod.involved = R"({"kind":"Pod","namespace":"shop","name":"p"})";
  const std::string dump = List({Node("7", "5").Object(), pod.Object()});
  EXPECT_THAT(Print(dump), HasSubstr("kind=\"Pod\""));
  options_.filter.namespaced = false;
  const std::string text = Print(dump);
  EXPECT_EQ(Sample(text, kCounted), "5");
  EXPECT_THAT(text, Not(HasSubstr("kind=\"Pod\"")));
}

TEST_F(OfflineTest, CountsAClaimOfAnUntrustedNamespaceAsNamespaced) {
  EventJson claim = Node("8", "3");
  claim.name = "claim";
  claim.event_namespace = "team-a";
  EventJson strange = Node("9", "4");
  strange.name = "strange";
  strange.event_namespace = "team-b";
  strange.involved =
      R"({"kind":"Node","name":"worker-1","namespace":"default"})";
  const std::string dump =
      List({Node("7", "5").Object(), claim.Object(), strange.Object()});
  const std::string counted = "kube_event_occurrences_total{scope=";
  const std::string node = R"(,api_group="",kind="Node",object_namespace=)";
  std::string text = Print(dump);
  EXPECT_EQ(code_, 0) << log_;
  EXPECT_EQ(Sample(text, counted + R"("cluster")" + node), "5");
  EXPECT_EQ(Sample(text, counted + R"("namespaced")" + node + R"("team-a")"),
            "3");
  EXPECT_EQ(Sample(text, counted + R"("namespaced")" + node + R"("team-b")"),
            "4");
  EXPECT_EQ(Sample(text, "kube_event_object_occurrences_total{"), "5");
  EXPECT_EQ(Sample(text,
                   "kube_event_metrics_scope_conflicts_total{result="
                   "\"untrusted\"}"),
            "2");
  EXPECT_THAT(log_, HasSubstr("option=--scope.trusted-namespaces"));
  options_.filter.trusted_namespaces = {"team-.*"};
  text = Print(dump);
  EXPECT_EQ(Sample(text, counted + R"("cluster")" + node), "12");
  EXPECT_EQ(Sample(text, counted + R"("namespaced")"), "absent");
  EXPECT_EQ(Sample(text,
                   "kube_event_metrics_scope_conflicts_total{result="
                   "\"trusted\"}"),
            "1");
  EXPECT_THAT(log_, Not(HasSubstr("level=warn")));
}

TEST_F(OfflineTest, CountsNoMirror) {
  EventJson mirror = Node("8", "5");
  mirror.name = "mirror";
  mirror.controller = R"("kube-event-metrics")";
  const std::string text =
      Print(List({Node("7", "5").Object(), mirror.Object()}));
  EXPECT_EQ(code_, 0) << log_;
  EXPECT_EQ(Sample(text, kCounted), "5");
  EXPECT_EQ(Sample(text, "kube_event_metrics_filtered_occurrences_total"), "5");
  EXPECT_THAT(text, Not(HasSubstr("=\"kube-event-metrics\"")));
}

TEST_F(OfflineTest, LeavesOutOtherKindsAndTellsOnce) {
  const std::string text = Print(List(
      {R"({"kind":"Pod","metadata":{"name":"p","resourceVersion":"3"}})",
       Node("7", "5").Object(), R"({"kind":"Event"})", R"({"kind":"Pod"})"}));
  EXPECT_EQ(code_, 0);
  EXPECT_EQ(Sample(text, kCounted), "5");
  EXPECT_THAT(log_,
              HasSubstr("other_kinds=2 malformed=1 first_other_kind=Pod"));
}

// As kubectl get --raw and kubectl cluster-info dump print them.
TEST_F(OfflineTest, TakesNoItemOfATypedListForAnEvent) {
  const std::string item = R"({"metadata":{"name":"n","namespace":"default",)"
                           R"("uid":"u","resourceVersion":"3"}})";
  std::string event = Node("7", "5").Object();
  event.erase(1, event.find("\"metadata\"") - 1);  // without kind
  const auto list = [](const char* kind, const std::string& items) {
    return R"({"kind":")" + std::string(kind) + R"(","items":[)" + items +
           "]}\n";
  };
  const std::string text =
      Print(list("NodeList", item + "," + item) + list("EventList", event) +
            R"({"items":[)" + item + R"(],"kind":"PodList"})" + event + item);
  EXPECT_EQ(code_, 0) << log_;
  EXPECT_EQ(Sample(text, kCounted), "5");
  EXPECT_THAT(text, Not(HasSubstr("kind=\"\"")));
  EXPECT_EQ(Sample(text, "kube_event_active{scope=\"cluster\""), "1");
  EXPECT_THAT(log_,
              HasSubstr("other_kinds=4 malformed=0 first_other_kind=Node"));
  Print(list("NodeList", item));
  EXPECT_EQ(code_, 1);
  EXPECT_THAT(log_, HasSubstr("it has no valid Events; objects left out: 1 of "
                              "other kinds (first: Node)"));
}

TEST_F(OfflineTest, AnEmptyListOfEventsIsAWholeInput) {
  for (const char* input : {"[]", R"({"items":[],"kind":"List"})",
                            R"({"kind":"EventList","items":null})"}) {
    EXPECT_EQ(Sample(Print(input), "kube_event_metrics_synced"), "1") << input;
    EXPECT_EQ(code_, 0) << log_;
    EXPECT_THAT(log_, Not(HasSubstr("level=warn")));
  }
}

TEST_F(OfflineTest, FailsWhereNothingCanBeCounted) {
  const std::pair<const char*, const char*> cases[] = {
      {"\n", "it is empty; kubectl may have failed"},
      {R"({"kind":"PodList","items":[]})", "it has a list, but not of Events"},
      {R"({"kind":"Event"}{"a":1})",
       "it has no valid Events; objects left out: 1 of other kinds (first: "
       "unknown) and 1 without a name or a resourceVersion"},
      {R"({"kind":"Status","status":"Success"})",
       "it has no valid Events; objects left out: 1 of other kinds (first: "
       "Status)"},
      {R"({"type":"NEW","object":{"kind":"Event","metadata":{"name":"a"}}})",
       "it has no valid Events; objects left out: 1 of other kinds (first: "
       "Event)"},
      // As an old kubectl cluster-info dump has it: Go's names of the fields.
      {R"({"Items":[{"Name":"a","InvolvedObject":{"Kind":"Pod"},"Count":2}]})",
       "it has no valid Events; objects left out: 1 of other kinds (first: "
       "unknown)"},
      {R"({"kind":"Status","code":410,"reason":"Gone","message":"too old"})",
       "it has no Events, but an error of the API server: 410 Gone: too old"}};
  for (const auto& [input, sentence] : cases) {
    EXPECT_EQ(Print(input), "") << input;
    EXPECT_EQ(code_, 1) << input;
    EXPECT_THAT(log_, HasSubstr(sentence));
  }
}

TEST_F(OfflineTest, ReportsAnErrorAfterEvents) {
  const std::string text =
      Print(Node("7", "5").Frame() +
            R"({"type":"ERROR","object":{"kind":"Status","code":410,)"
            R"("reason":"Expired","message":"too old resource version"}})");
  EXPECT_EQ(code_, 0) << log_;
  EXPECT_EQ(Sample(text, kCounted), "5");
  EXPECT_EQ(
      Sample(text, "kube_event_metrics_watch_events_total{type=\"ERROR\"}"),
      "1");
  EXPECT_THAT(log_, HasSubstr("error=\"410 Expired: too old resource version"));
}

TEST_F(OfflineTest, KnowsTheNamespacedKindsOfKubernetes) {
  EventJson pod = Node("8", "2");
  pod.involved = R"({"kind":"Pod","name":"web-1","apiVersion":"v1"})";
  EventJson other = Node("9", "3");
  other.name = "other";
  other.event_namespace = "longhorn";
  other.involved = R"({"kind":"Node","name":"n","namespace":"longhorn",)"
                   R"("apiVersion":"longhorn.io/v1"})";
  const std::string text =
      Print("[" + pod.Object() + "," + other.Object() + "]");
  EXPECT_EQ(Sample(text,
                   "kube_event_occurrences_total{scope=\"namespaced\","
                   "api_group=\"\",kind=\"Pod\",object_namespace=\"default\""),
            "2");
  EXPECT_EQ(Sample(text,
                   "kube_event_occurrences_total{scope=\"namespaced\","
                   "api_group=\"longhorn.io\",kind=\"Node\","
                   "object_namespace=\"longhorn\""),
            "3");
  EXPECT_THAT(text, Not(HasSubstr("kube_event_object_occurrences_total{")));
}

TEST_F(OfflineTest, ChecksTheFileOfADryRun) {
  options_.events_from = "/no/such/file";
  const Result<void> checked = CheckOffline(options_);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message,
            "--events.from /no/such/file: cannot be read: No such file or "
            "directory");
  options_.events_from = "-";
  EXPECT_TRUE(CheckOffline(options_));
}

TEST_F(OfflineTest, ShowsWhatIsWholeOfACutDumpAndFails) {
  const std::string dump = List({Node("7", "5").Object()});
  const std::string text = Print(dump.substr(0, dump.size() - 20));
  EXPECT_EQ(code_, 1);
  EXPECT_EQ(Sample(text, kCounted), "5");
  EXPECT_THAT(log_, HasSubstr("line 1: the input ends inside a List"));
}

TEST_F(OfflineTest, FailsWhereThereIsNothingToRead) {
  EXPECT_EQ(Print("items:\n- kind: Event\n"), "");
  EXPECT_EQ(code_, 1);
  EXPECT_THAT(log_, HasSubstr("line 1: this is no JSON object or list, but "
                              "\\\"items:\\\"; use the output of kubectl"));
  EXPECT_EQ(PrintFile("/no/such/file"), "");
  EXPECT_EQ(code_, 1);
  EXPECT_THAT(log_, HasSubstr("--events.from /no/such/file: cannot be read: "
                              "No such file or directory"));
}

}  // namespace
}  // namespace kem
