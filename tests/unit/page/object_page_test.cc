// The page of one object in each of its states.
#include "page/object_page.h"

#include <gmock/gmock.h>

#include "page/page_text.h"
#include "page_fixture.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::HasSubstr;
using ::testing::Not;

class ObjectPageTest : public ::testing::Test {
 protected:
  ObjectPageTest() { page.object = {"Node", "", "worker-1", ""}; }
  FoundEvent& Add(std::string reason, std::string type, minutes ago) {
    page.events.push_back(
        FoundNodeEvent(std::move(reason), std::move(type), ago));
    return page.events.back();
  }
  std::string Page() { return RenderObject(data, page); }

  PageData data = TestPageData();
  ObjectPage page;
};

TEST_F(ObjectPageTest, SumsUpTheObject) {
  Add("Rebooted", "Warning", minutes(20)).count = 3;
  Add("NodeReady", "Normal", minutes(600)).count = 2;
  const std::string shown = Page();
  EXPECT_THAT(shown, HasSubstr("<title>Node worker-1 · "));
  EXPECT_THAT(shown,
              HasSubstr("<h1><small>Node</small> <bdi>worker-1</bdi></h1>"));
  EXPECT_THAT(shown, HasSubstr("<p>Cluster-scoped, v1. First seen 2026-11-23 "
                               "02:00:00 UTC, last 2026-11-23 11:40:00 UTC ("));
  EXPECT_THAT(shown, HasSubstr("<b>5 occurrences</b> in 2 Events. <b "
                               "class=\"warn\">3 need attention</b>."));
  EXPECT_THAT(shown, HasSubstr("<svg class=\"timeline\" role=\"img\""));
  EXPECT_THAT(shown, HasSubstr("2026-11-23 02:00:00 to 2026-11-23 12:00:00"));
}

// From /objects/Node/worker-1, the way back is two up.
TEST_F(ObjectPageTest, LinksBackBehindAPrefix) {
  Add("Rebooted", "Warning", minutes(20));
  for (const char* link :
       {"../../\">Events<", "../../metrics\"", "../../readyz\"",
        "../../livez\"", "../../objects/Node/worker-1\"",
        "../../?kind=Node&amp;name=worker-1&amp;namespace=-\">Filter"}) {
    EXPECT_THAT(Page(), HasSubstr("href=\"" + std::string(link)));
  }
  EXPECT_THAT(Page(), Not(HasSubstr("href=\"./")));
}

TEST_F(ObjectPageTest, ExplainsTheLatestMessageOfEachReason) {
  Add("NodeNotReady", "Normal", minutes(20)).message = "two\nlines <b>";
  Add("NodeNotReady", "Normal", minutes(90)).message = "older";
  Add("Odd", "Warning", minutes(30)).message = "odd";
  const std::string shown = Page();
  EXPECT_THAT(shown, HasSubstr("<li class=\"warn\"><h3><span "
                               "aria-hidden=\"true\">▲ </span>NodeNotReady "
                               "<small>Normal, critical</small></h3>\n<p "
                               "class=\"quiet\">2 occurrences, last <time "));
  EXPECT_THAT(shown, HasSubstr(">20m</time> ago, first "));
  EXPECT_THAT(shown, HasSubstr("<p class=\"said\" dir=\"auto\">two\nlines "
                               "&lt;b&gt;</p>\n<p>The kubelet set its Ready "));
  EXPECT_THAT(shown, Not(HasSubstr("auto\">older</p>")));
  EXPECT_THAT(shown, HasSubstr("auto\">odd</p>\n</li>"));
}

TEST_F(ObjectPageTest, HasTheCommands) {
  Add("Rebooted", "Warning", minutes(20));
  Add("NodeReady", "Normal", minutes(30));
  Add("Problem", "Warning", minutes(40)).event_namespace = "kube-system";
  EXPECT_THAT(
      Page(),
      HasSubstr("<code>kubectl describe Node worker-1</code>"
                "<code>kubectl get events -n default --field-selector "
                "involvedObject.kind=Node,involvedObject.name=worker-1</code>"
                "<code>kubectl get events -n kube-system --field-selector "
                "involvedObject.kind=Node,involvedObject.name=worker-1</code>"
                "</div>"));
}

TEST_F(ObjectPageTest, LinksToTheDashboard) {
  Add("Rebooted", "Warning", minutes(20));
  EXPECT_THAT(Page(), Not(HasSubstr("Grafana")));
  data.grafana_url = "https://grafana.example.com";
  EXPECT_THAT(Page(),
              HasSubstr("<a rel=\"noopener\" "
                        "href=\"https://grafana.example.com/d/"
                        "kube-event-nodes?var-node=worker-1&amp;from="));
  data.grafana_url = "javascript:alert(1)";
  EXPECT_THAT(Page(), Not(HasSubstr("javascript")));
}

TEST_F(ObjectPageTest, OffersOtherRanges) {
  page.object = {"Pod", "shop", "web-0", "apps"};
  page.range = "6h";
  EXPECT_THAT(Page(), HasSubstr("<a href=\"?namespace=shop&amp;group=apps&amp;"
                                "since=1h\">1h</a> <b aria-current=\"true\">6h"
                                "</b> <a href=\"?namespace=shop&amp;group=apps"
                                "&amp;since=24h\">24h</a>"));
  EXPECT_THAT(Page(), HasSubstr("<a href=\"?namespace=shop&amp;group=apps\">"
                                "all</a>"));
  page.object = {"Node", "", "worker-1", ""};
  EXPECT_THAT(Page(), HasSubstr("<a href=\"?\">all</a>"));
}

TEST_F(ObjectPageTest, ShowsRelatedEventsWithTheirObjects) {
  Add("Rebooted", "Warning", minutes(20));
  FoundEvent pod = FoundNodeEvent("FailedMount", "Warning", minutes(5));
  pod.kind = "Pod";
  pod.cluster_scoped = false;
  pod.object_namespace = "shop";
  pod.object_name = "web-0";
  page.related = {{"Warnings about <Pods>", "", "", {pod}},
                  {"None", "", "", {}},
                  {"Slow", "", "It took <too> long.", {}}};
  const std::string shown = Page();
  EXPECT_THAT(shown, HasSubstr("<section>\n<h2>Warnings about &lt;Pods&gt;</h2>"
                               "\n<table role=\"table\" aria-label=\"Warnings "
                               "about &lt;Pods&gt;\">"));
  EXPECT_THAT(shown,
              HasSubstr("\"../../objects/Pod/web-0?namespace=shop\"><bdi>"));
  EXPECT_THAT(shown, Not(HasSubstr("None")));
  EXPECT_THAT(shown, HasSubstr("<h2>Slow</h2>\n<p class=\"problem\" "
                               "role=\"alert\">It took &lt;too&gt; long.</p>"));
}

TEST_F(ObjectPageTest, TellsGroupsOfOneKindApart) {
  Add("Rebooted", "Warning", minutes(20));
  Add("Rebooted", "Warning", minutes(20)).api_version = "";
  EXPECT_THAT(Page(), Not(HasSubstr("several API groups")));
  Add("Rebooted", "Warning", minutes(20)).api_version = "example.com/v1";
  EXPECT_THAT(Page(), HasSubstr("several API groups: core, <a href=\"?group="
                                "example.com\">example.com</a>.</p>"));
}

TEST_F(ObjectPageTest, IsBoundedForManyEvents) {
  for (int i = 0; i < 500; ++i) {
    Add("Reason" + std::to_string(i), "Warning", minutes(i)).message =
        std::string(1 << 16, '"');
  }
  page.more = true;
  const std::string shown = Page();
  EXPECT_THAT(shown, HasSubstr("in the newest 500 Events"));
  EXPECT_THAT(shown, HasSubstr("480 more reasons, in the table only: Reason20, "
                               "Reason21, "));
  EXPECT_THAT(shown, HasSubstr("Reason39, …</p>"));
  EXPECT_THAT(shown, HasSubstr("These are the newest 200. <a href=\"../../"
                               "?kind=Node&amp;name=worker-1"));
  EXPECT_THAT(shown, HasSubstr("Reason199</td>"));
  EXPECT_THAT(shown, Not(HasSubstr("Reason200</td>")));
  EXPECT_LT(shown.size(), size_t{3} << 20);
}

TEST_F(ObjectPageTest, SaysThatItKnowsNoEvents) {
  EXPECT_THAT(Page(), HasSubstr("<p>No Events about this object are known.</p>"
                                "<p class=\"quiet\">Events are known since"));
  EXPECT_THAT(Page(), Not(HasSubstr("<svg")));
  page.since = kPageNow - hours(1);
  EXPECT_THAT(Page(), HasSubstr("object are known in this time.</p>"));
  page.others = {{"Node", "shop", "worker-1", ""},
                 {"Node", "", "worker-1", "example.com"}};
  EXPECT_THAT(Page(), HasSubstr("<a href=\"../../objects/Node/worker-1?"
                                "namespace=shop\">namespace shop</a>"));
  EXPECT_THAT(Page(), HasSubstr("<a href=\"../../objects/Node/worker-1?"
                                "group=example.com\">cluster-scoped, "
                                "example.com</a>"));
}

TEST_F(ObjectPageTest, SaysWhyThereAreNoEvents) {
  page.problem = "since must be <a time>.";
  EXPECT_THAT(Page(),
              HasSubstr("role=\"alert\">since must be &lt;a time&gt;."));
  EXPECT_THAT(Page(), Not(HasSubstr("No Events about")));
}

TEST_F(ObjectPageTest, EscapesEveryText) {
  const std::string evil = "<i>&\"'\u202E\xff/../";
  page.object = {evil, evil, evil, evil};
  data.grafana_url = "https://g/\"><i>";
  FoundEvent& event = Add(evil, evil, minutes(1));
  event.event_namespace = event.name = event.api_version = event.kind = evil;
  event.object_namespace = event.object_name = event.message = evil;
  event.reporting_component = evil;
  event.cluster_scoped = false;
  page.related = {{evil, evil, "", {event}}, {evil, "", evil, {}}};
  page.range = evil;
  for (const bool known : {true, false}) {
    if (!known) {
      page.events.clear();
      page.others = {page.object};
    }
    const std::string shown = Page();
    EXPECT_THAT(shown, Not(HasSubstr("<i>")));
    EXPECT_THAT(shown, Not(HasSubstr("\u202E")));
    EXPECT_THAT(shown, Not(HasSubstr("\xff")));
    EXPECT_THAT(shown, Not(HasSubstr("<script")));
    EXPECT_THAT(shown, Not(HasSubstr(" style=")));
    EXPECT_THAT(shown,
                HasSubstr("&lt;i&gt;&amp;&quot;&#39;[U+202E]\uFFFD/../"));
  }
}

TEST(DescribeCommandTest, IsSafeToPaste) {
  FoundEvent event = FoundNodeEvent("Rebooted", "Warning", minutes(1));
  EXPECT_EQ(DescribeCommand(event), "kubectl describe Node worker-1");
  event.api_version = "karpenter.sh/v1";
  event.object_name = "$(reboot)";
  EXPECT_EQ(DescribeCommand(event),
            "kubectl describe Node.karpenter.sh '$(reboot)'");
  event.object_name = "--kubeconfig=x";
  EXPECT_EQ(DescribeCommand(event), "");
  event.object_name = "a b";
  EXPECT_EQ(DescribeCommand(event), "");
  event.object_name = "a";
  event.api_version = "v1";
  event.cluster_scoped = false;
  event.object_namespace = "shop";
  EXPECT_EQ(DescribeCommand(event), "kubectl describe Node -n shop a");
}

}  // namespace
}  // namespace kem
