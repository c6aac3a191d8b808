// The attributes of a record: which are of the object, and what is trusted.
#include "sinks/record_fields.h"

#include <gmock/gmock.h>

#include <utility>
#include <vector>

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using FieldList = std::vector<std::pair<std::string, std::string>>;

constexpr char kFieldUid[] = "0a0a0a0a-0000-4000-8000-000000000001";

FieldList CollectFields(void (*each)(const Occurrence&, const FieldVisitor&),
                        const Occurrence& occurrence) {
  FieldList fields;
  each(occurrence, [&](std::string_view key, FieldValue value) {
    const auto* number = std::get_if<int64_t>(&value);
    fields.emplace_back(
        key, number == nullptr ? std::string(std::get<std::string_view>(value))
                               : std::to_string(*number));
  });
  return fields;
}

FieldList ResourceOf(const Occurrence& occurrence) {
  return CollectFields(ForEachResourceField, occurrence);
}

Occurrence AboutObject(std::string_view api_version, std::string_view kind,
                       Scope scope) {
  Occurrence one;
  one.api_version = api_version;
  one.kind = kind;
  one.scope = scope;
  one.object_name = "x";
  one.object_uid = kFieldUid;
  if (scope == Scope::kNamespaced) one.object_namespace = "shop";
  return one;
}

TEST(RecordFieldsTest, KindsOfTheConventionsHaveNameAndUid) {
  EXPECT_THAT(
      ResourceOf(AboutObject("v1", "Node", Scope::kCluster)),
      ElementsAre(Pair("k8s.node.name", "x"), Pair("k8s.node.uid", kFieldUid)));
  EXPECT_THAT(ResourceOf(AboutObject("v1", "Namespace", Scope::kCluster)),
              ElementsAre(Pair("k8s.namespace.name", "x")));
  EXPECT_THAT(
      ResourceOf(AboutObject("v1", "PersistentVolume", Scope::kCluster)),
      ElementsAre(Pair("k8s.persistentvolume.name", "x"),
                  Pair("k8s.persistentvolume.uid", kFieldUid)));
  EXPECT_THAT(ResourceOf(AboutObject("storage.k8s.io/v1", "StorageClass",
                                     Scope::kCluster)),
              ElementsAre(Pair("k8s.storageclass.name", "x")));
  const std::pair<const char*, std::pair<const char*, const char*>> kinds[] = {
      {"v1", {"Pod", "pod"}},
      {"v1", {"Service", "service"}},
      {"v1", {"ResourceQuota", "resourcequota"}},
      {"v1", {"PersistentVolumeClaim", "persistentvolumeclaim"}},
      {"v1", {"ReplicationController", "replicationcontroller"}},
      {"apps/v1", {"Deployment", "deployment"}},
      {"apps/v1", {"ReplicaSet", "replicaset"}},
      {"apps/v1", {"StatefulSet", "statefulset"}},
      {"apps/v1", {"DaemonSet", "daemonset"}},
      {"batch/v1", {"Job", "job"}},
      {"batch/v1", {"CronJob", "cronjob"}},
      {"autoscaling/v2", {"HorizontalPodAutoscaler", "hpa"}}};
  for (const auto& [api_version, kind] : kinds) {
    const std::string prefix = std::string("k8s.") + kind.second;
    EXPECT_THAT(
        ResourceOf(AboutObject(api_version, kind.first, Scope::kNamespaced)),
        ElementsAre(Pair("k8s.namespace.name", "shop"),
                    Pair(prefix + ".name", "x"),
                    Pair(prefix + ".uid", kFieldUid)));
  }
}

TEST(RecordFieldsTest, TheSameKindOfAnotherGroupIsAnotherKind) {
  EXPECT_THAT(
      ResourceOf(AboutObject("example.com/v1", "Node", Scope::kCluster)),
      IsEmpty());
  EXPECT_THAT(ResourceOf(AboutObject("serving.knative.dev/v1", "Service",
                                     Scope::kNamespaced)),
              ElementsAre(Pair("k8s.namespace.name", "shop")));
}

// A tenant can write an Event about a node, which the pipeline then counts as
// namespaced.
TEST(RecordFieldsTest, AnUntrustedClaimHasOnlyItsNamespace) {
  EXPECT_THAT(ResourceOf(AboutObject("v1", "Node", Scope::kNamespaced)),
              ElementsAre(Pair("k8s.namespace.name", "shop")));
}

TEST(RecordFieldsTest, ANodesNameIsNoUidAndItsReporterNoNode) {
  Occurrence one = AboutObject("", "Node", Scope::kCluster);
  one.object_uid = "x";  // as kubelets write it, without an apiVersion
  one.host = "worker-2";
  EXPECT_THAT(ResourceOf(one), ElementsAre(Pair("k8s.node.name", "x")));
  Occurrence pod = AboutObject("v1", "Pod", Scope::kNamespaced);
  pod.host = "worker-2";
  for (const auto& [key, value] : ResourceOf(pod)) {
    EXPECT_NE(key, "k8s.node.name");
  }
}

TEST(RecordFieldsTest, AnObjectWithoutANamespaceHasTheEvents) {
  Occurrence one = AboutObject("v1", "Pod", Scope::kNamespaced);
  one.object_namespace = "";
  one.event_namespace = "default";
  EXPECT_EQ(ResourceOf(one).front(), (std::pair<std::string, std::string>(
                                         "k8s.namespace.name", "default")));
}

TEST(RecordFieldsTest, EveryTextOfTheEventIsAnAttribute) {
  Occurrence one = AboutObject("v1", "Pod", Scope::kNamespaced);
  one.uid = "u-1";
  one.name = "pod.17";
  one.event_namespace = "shop";
  one.reason = "Killing";
  one.action = "Stop";
  one.reporting_component = "kubelet";
  one.host = "worker-2";
  one.field_path = "spec.containers{a}";
  one.object_version = "9";
  one.delta = 2;
  one.count = 4'294'967'295;
  EXPECT_THAT(
      CollectFields(ForEachLogField, one),
      ElementsAre(
          Pair("log.record.uid", "u-1/4294967295"),
          Pair("kube_event.scope", "namespaced"), Pair("kube_event.delta", "2"),
          Pair("k8s.event.count", "4294967295"),
          Pair("k8s.event.start_time", "1970-01-01T00:00:00.000Z"),
          Pair("k8s.event.reason", "Killing"), Pair("k8s.event.action", "Stop"),
          Pair("k8s.event.name", "pod.17"), Pair("k8s.event.namespace", "shop"),
          Pair("k8s.event.uid", "u-1"),
          Pair("k8s.event.reporting_controller", "kubelet"),
          Pair("kube_event.reporting_host", "worker-2"),
          Pair("k8s.object.kind", "Pod"), Pair("k8s.object.name", "x"),
          Pair("k8s.object.uid", kFieldUid),
          Pair("k8s.object.fieldpath", "spec.containers{a}"),
          Pair("k8s.object.api_version", "v1"),
          Pair("k8s.object.resource_version", "9")));
}

TEST(RecordFieldsTest, TheIdIsOfUidAndCountWhateverTheUid) {
  Occurrence one;
  one.uid = "a/1";
  one.count = 2;
  one.resource_version = 9;
  EXPECT_EQ(one.Id(), "a/1/2");
  Occurrence other;
  other.uid = "a";
  other.count = 12;
  EXPECT_EQ(other.Id(), "a/12");
  other.uid = "";
  EXPECT_EQ(other.Id(), "/12");
}

TEST(RecordFieldsTest, SeverityFollowsTheType) {
  const auto number = [](std::string_view type) {
    Occurrence one;
    one.type = type;
    EXPECT_EQ(SeverityOf(one).text, type);
    return SeverityOf(one).number;
  };
  EXPECT_EQ(number("Normal"), 9);
  EXPECT_EQ(number("Warning"), 13);
  EXPECT_EQ(number("warning"), 13);
  EXPECT_EQ(number("Error"), 17);
  EXPECT_EQ(number("Critical"), 21);
  EXPECT_EQ(number("anything"), 9);
  EXPECT_EQ(number(""), 9);
}

TEST(RecordFieldsTest, TimesAreWithinWhatStoresRead) {
  using std::chrono::microseconds;
  EXPECT_EQ(UnixNanoseconds(WallTime(microseconds(5))), 5000U);
  EXPECT_EQ(UnixNanoseconds(WallTime(microseconds(-1))), 0U);
  EXPECT_EQ(UnixNanoseconds(WallTime(microseconds(int64_t{1} << 61))),
            9'223'372'036'854'775'000U);
}

TEST(RecordFieldsTest, TheConfigurationCannotSetWhatTheExporterSets) {
  for (const char* name :
       {"service.name", "service.instance.id", "log.record.uid", "time",
        "k8s.node.name", "k8s.event.reason", "kube_event.delta", "body"}) {
    EXPECT_TRUE(IsReservedAttribute(name)) << name;
  }
  for (const char* name :
       {"k8s.cluster.name", "k8s.cluster.uid", "team", "service.namespace",
        "deployment.environment.name"}) {
    EXPECT_FALSE(IsReservedAttribute(name)) << name;
  }
}

}  // namespace
}  // namespace kem
