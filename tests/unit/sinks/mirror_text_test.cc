// The mirror of an Event and its name.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "sinks/mirror_sink.h"
#include "unit/sinks/rebooted.h"

namespace kem {
namespace {

using ::testing::MatchesRegex;

const std::string kLongest(253, 'a');

TEST(MirrorNameTest, IsTheSameEverywhere) {
  // XXH3's published value for no bytes, and a mirror of a real cluster.
  EXPECT_EQ(MirrorName("worker-1.17", ""), "worker-1.17.2d06800538d394c2");
  EXPECT_EQ(MirrorName("worker-1.18eaa4ad72eb93c4",
                       "0282914d-e6ad-44c8-8297-55618d994951"),
            "worker-1.18eaa4ad72eb93c4.3888852f79513db7");
}

TEST(MirrorNameTest, AnotherUidHasAnotherName) {
  EXPECT_NE(MirrorName("a", "u-1"), MirrorName("a", "u-2"));
  EXPECT_NE(MirrorName(kLongest, "u-1"), MirrorName(kLongest, "u-2"));
}

TEST(MirrorNameTest, IsCutToTheApiServersLimit) {
  const std::string name = MirrorName(kLongest, "u");
  EXPECT_EQ(name.size(), 253U);
  EXPECT_EQ(name.find('.'), 236U);
  // The cut leaves characters at the end that no name may end in.
  std::string dotted = kLongest;
  dotted.replace(233, 3, "-.-");
  EXPECT_EQ(MirrorName(dotted, "u").find('.'), 233U);
  EXPECT_EQ(MirrorName(dotted, "u").size(), 250U);
}

TEST(MirrorNameTest, IsADnsSubdomainForEveryOriginal) {
  const std::string label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
  const auto is_subdomain = [&label](const std::string& name) {
    return testing::Matches(MatchesRegex(label + "([.]" + label + ")*"))(name);
  };
  const std::pair<std::string, std::string> all[] = {{"a--b.c-1", "a--b.c-1."},
                                                     {"Node_A:1", "node-a-1."},
                                                     {"-.a-.-.b.", "a.b."},
                                                     {"..a...b--", "a.b."},
                                                     {"é x", "x."},
                                                     {"a.-x", "a.x."},
                                                     {"a\nb", "a-b."},
                                                     {"...", ""},
                                                     {"", ""}};
  for (const auto& [original, begins] : all) {
    const std::string name = MirrorName(original, "u");
    EXPECT_EQ(name.substr(0, name.size() - 16), begins) << original;
    EXPECT_TRUE(is_subdomain(name)) << name;
  }
  EXPECT_TRUE(is_subdomain(MirrorName(std::string("a\0b", 3), "u")));
  EXPECT_TRUE(is_subdomain(MirrorName("\xff\xfe", "\xff")));
}

TEST(MirrorBodyTest, SaysWhatTheOriginalSaysAndWhereItIs) {
  const auto body = nlohmann::json::parse(MirrorBody(Rebooted(), "infra"));
  const auto expected = nlohmann::json::parse(
      R"({
    "apiVersion": "v1", "kind": "Event",
    "metadata": {
      "name": ")" +
      MirrorName("worker-1.17", "u-1") +
      R"(",
      "namespace": "infra",
      "annotations": {"kube-event-metrics/original":
        "{\"namespace\":\"default\",\"name\":\"worker-1.17\",\"uid\":\"u-1\",)"
      R"(\"resourceVersion\":\"42\",)"
      R"(\"involvedObject\":{\"apiVersion\":\"v1\",\"kind\":\"Node\",)"
      R"(\"name\":\"worker-1\",\"uid\":\"worker-1\",)"
      R"(\"resourceVersion\":\"41\"}}"}},
    "involvedObject": {"apiVersion": "v1", "kind": "Node", "name": "worker-1",
                       "namespace": "infra"},
    "related": {"apiVersion": "v1", "kind": "Node", "name": "worker-1",
                "uid": "worker-1", "resourceVersion": "41"},
    "reason": "Rebooted", "type": "Warning", "message": "it \"did\"",
    "action": "Reboot", "count": 2,
    "firstTimestamp": "2026-11-23T11:58:20Z",
    "lastTimestamp": "2026-11-23T12:00:00Z",
    "source": {"component": "kubelet", "host": "worker-1"},
    "reportingComponent": "kube-event-metrics"})");
  EXPECT_EQ(body, expected);
}

TEST(MirrorBodyTest, KeepsTheWholeReferenceOfANamespacedObject) {
  Occurrence pod = Rebooted();
  pod.kind = "Pod";
  pod.object_namespace = "shop";
  pod.field_path = "spec.containers{web}";
  const auto body = nlohmann::json::parse(MirrorBody(pod, "infra"));
  EXPECT_EQ(body["involvedObject"]["namespace"], "infra");
  EXPECT_EQ(body["related"]["namespace"], "shop");
  EXPECT_EQ(body["related"]["fieldPath"], "spec.containers{web}");
  const auto original = nlohmann::json::parse(
      body["metadata"]["annotations"]["kube-event-metrics/original"]
          .get<std::string>());
  EXPECT_EQ(original["involvedObject"], body["related"]);
}

TEST(MirrorBodyTest, EmptyTextsAreWrittenAndBrokenOnesMended) {
  Occurrence one = Rebooted();
  one.action = one.host = "";
  one.message = one.object_name = "\xff";
  const auto body = nlohmann::json::parse(MirrorBody(one, "infra"));
  EXPECT_EQ(body["action"], "");
  EXPECT_EQ(body["source"]["host"], "");
  EXPECT_EQ(body["message"], "\xEF\xBF\xBD");
  EXPECT_EQ(body["related"]["name"], "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace kem
