#include "page/page_links.h"

#include <gtest/gtest.h>

namespace kem {
namespace {

using std::chrono::seconds;

constexpr char kGrafana[] = "https://grafana.example.com/g";
const WallTime kFrom{seconds(1795435200)};
const WallTime kTo{seconds(1795438800)};

std::string Dashboard(const ObjectName& object,
                      std::string_view grafana = kGrafana) {
  return DashboardLink(grafana, object, kFrom, kTo);
}

TEST(QueryTextTest, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(QueryText({{"a", ""}}), "");
  EXPECT_EQ(QueryText({{"a", ""}, {"b", "x&y=z"}, {"c", "ä"}}),
            "?b=x%26y%3Dz&c=%C3%A4");
}

TEST(ObjectLinkTest, NamesTheObjectInThePath) {
  EXPECT_EQ(ObjectLink({"Node", "", "worker-1", ""}), "objects/Node/worker-1");
  EXPECT_EQ(ObjectLink({"Pod", "shop", "web-0", ""}),
            "objects/Pod/web-0?namespace=shop");
  EXPECT_EQ(ObjectLink({"NodeClaim", "", "a", "karpenter.sh"}),
            "objects/NodeClaim/a?group=karpenter.sh");
}

TEST(ObjectLinkTest, StaysOnTheSiteForAnyName) {
  EXPECT_EQ(ObjectLink({"No de?", "", "\"><script>#\u202E", ""}),
            "objects/No%20de%3F/%22%3E%3Cscript%3E%23%E2%80%AE");
  EXPECT_EQ(ObjectLink({"Node", "", "javascript:x", ""}),
            "objects/Node/javascript%3Ax");
}

// A proxy may decode "%2F", and a browser resolves "%2e%2e".
TEST(ObjectLinkTest, KeepsOutOfThePathWhatAProxyChanges) {
  for (const auto& [name, encoded] :
       {std::pair("..", ".."), std::pair(".", "."), std::pair("a/b", "a%2Fb"),
        std::pair("a\\b", "a%5Cb"), std::pair("a\nb", "a%0Ab")}) {
    EXPECT_EQ(ObjectLink({"Node", "", name, ""}),
              std::string("?kind=Node&name=") + encoded + "&namespace=-");
  }
  EXPECT_EQ(ObjectLink({"../x", "shop", "a", ""}),
            "?kind=..%2Fx&name=a&namespace=shop");
}

TEST(ObjectLinkTest, IsEmptyWhereNoUrlNamesTheObject) {
  EXPECT_EQ(ObjectLink({"", "", "a", ""}), "");
  EXPECT_EQ(ObjectLink({"Node", "", "", ""}), "");
  EXPECT_NE(ObjectLink({"Node", "", std::string(512, 'x'), ""}), "");
  EXPECT_EQ(ObjectLink({"Node", "", std::string(513, 'x'), ""}), "");
  EXPECT_EQ(ObjectLink({"Node", "", "a", std::string(513, 'x')}), "");
}

TEST(ObjectLinkTest, TrustsTheScopeOfTheEventOnly) {
  FoundEvent event;
  event.api_version = "apps/v1";
  event.kind = "Node";
  event.object_name = "n";
  event.object_namespace = "tenant";
  EXPECT_EQ(ObjectLink(ObjectOf(event)),
            "objects/Node/n?namespace=tenant&group=apps");
  event.cluster_scoped = true;
  EXPECT_EQ(ObjectLink(ObjectOf(event)), "objects/Node/n?group=apps");
}

TEST(DashboardLinkTest, SelectsTheObjectAndTheTime) {
  EXPECT_EQ(Dashboard({"Node", "", "worker-1", ""}),
            "https://grafana.example.com/g/d/kube-event-nodes?var-node=worker-1"
            "&from=1795435200000&to=1795438800000");
  EXPECT_EQ(Dashboard({"PersistentVolume", "", "a&b", ""}),
            "https://grafana.example.com/g/d/kube-event-storage"
            "?var-kind=PersistentVolume&var-object_name=a%26b"
            "&from=1795435200000&to=1795438800000");
  EXPECT_EQ(Dashboard({"EC2NodeClass", "", "a", "karpenter.k8s.aws"}),
            "https://grafana.example.com/g/d/kube-event-node-lifecycle"
            "?var-object_name=a&from=1795435200000&to=1795438800000");
  EXPECT_EQ(Dashboard({"Node", "", "a", "example.com"}),
            "https://grafana.example.com/g/d/kube-event-platform"
            "?var-kind=Node&var-object_name=a&from=1795435200000"
            "&to=1795438800000");
}

TEST(DashboardLinkTest, IsAbsentWithoutADashboardOrAnHttpUrl) {
  EXPECT_EQ(Dashboard({"Pod", "shop", "web-0", ""}), "");
  EXPECT_EQ(Dashboard({"Node", "", std::string(513, 'x'), ""}), "");
  for (const char* url : {"", "javascript:alert(1)", "//evil", "data:,x"}) {
    EXPECT_EQ(Dashboard({"Node", "", "a", ""}, url), "") << url;
  }
}

}  // namespace
}  // namespace kem
