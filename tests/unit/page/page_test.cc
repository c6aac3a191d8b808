// The page at / in each of its states. tests/scripted/browser.py checks that no
// message runs in a browser.
#include "page/page.h"

#include <gmock/gmock.h>

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

class PageTest : public ::testing::Test {
 protected:
  PageTest() {
    data.version = "1.2.3";
    data.telemetry_path = "/metrics";
    data.now = WallTime(seconds(1795435200));
    data.uptime = minutes(200);
    data.watches = {{"all namespaces", true, true, ""}};
    data.tracked = 1234;
    data.recent.listed = true;
  }
  RecentEvent& Add(std::string object, std::string reason,
                   std::string type = "Warning") {
    RecentEvent event;
    event.event_namespace = "default";
    event.name = object + ".18eaa4";
    event.api_version = "v1";
    event.kind = "Node";
    event.object_name = std::move(object);
    event.reason = std::move(reason);
    event.type = std::move(type);
    event.reporting_component = "kubelet";
    event.message = "said";
    event.first_seen = event.occurred_at = event.seen_at =
        data.now - seconds(312);
    event.in_window = 1;
    data.recent.events.push_back(event);
    return data.recent.events.back();
  }
  std::string Page() { return RenderPage(data); }

  PageData data;
};

TEST_F(PageTest, NeedsAndAllowsNoScript) {
  Add("worker-1", "Rebooted");
  EXPECT_THAT(Page(), HasSubstr("Content-Security-Policy"));
  EXPECT_THAT(Page(), HasSubstr("default-src 'none'; style-src"));
  EXPECT_THAT(Page(), Not(HasSubstr("<script")));
  EXPECT_THAT(Page(), Not(HasSubstr(" style=")));
}

TEST_F(PageTest, LinksToTheRestAlsoBehindAPrefix) {
  data.telemetry_path = "/m.txt";
  EXPECT_THAT(Page(), HasSubstr("href=\"./m.txt\""));
  EXPECT_THAT(Page(), HasSubstr("href=\"./readyz\""));
  EXPECT_THAT(Page(), HasSubstr("href=\"./livez\""));
}

TEST_F(PageTest, SaysThatNothingHappened) {
  EXPECT_THAT(Page(), HasSubstr("<title>0 need attention"));
  EXPECT_THAT(Page(), HasSubstr("<b>In sync</b> with the API server. Watching "
                                "all namespaces, 1,234 Events tracked, up "
                                "3h20m."));
  EXPECT_THAT(Page(), HasSubstr("No Events about cluster-scoped objects"));
  EXPECT_THAT(Page(), Not(HasSubstr("<table")));
  EXPECT_THAT(Page(), Not(HasSubstr("is watched")));
}

TEST_F(PageTest, SaysWhereItDoesNotLook) {
  data.namespaces = {"shop", "kube-system"};
  EXPECT_THAT(Page(), HasSubstr("Only Events in namespaces shop, kube-system "
                                "are watched."));
}

TEST_F(PageTest, SaysWhatFiltersHide) {
  data.filtered = true;
  EXPECT_THAT(Page(), HasSubstr("Watching all namespaces with filters, 1,234"));
  EXPECT_THAT(Page(), HasSubstr("No Events about cluster-scoped objects"));
  data.cluster_scoped = false;
  EXPECT_THAT(Page(), HasSubstr("Cluster-scoped objects are filtered out."));
}

TEST_F(PageTest, SaysWhyItIsNotInSync) {
  data.watches = {{"a", true, true, ""},
                  {"b", false, false, "<forbidden>"},
                  {"c", false, true, ""}};
  EXPECT_THAT(Page(), HasSubstr("<title>Not in sync"));
  EXPECT_THAT(Page(), HasSubstr("<b>Not in sync</b> with the API server: the "
                                "first list of Events is not finished. Up "));
  EXPECT_THAT(Page(), HasSubstr("<p>Watch of b: &lt;forbidden&gt;</p>\n"
                                "<p>Watch of c: first list not finished</p>"));
  EXPECT_THAT(Page(), Not(HasSubstr("Watch of a")));
  EXPECT_THAT(Page(), HasSubstr("No data yet."));
}

TEST_F(PageTest, KeepsWhatItKnowsWhenOutOfContact) {
  data.watches = {{"all namespaces", true, false, "connection refused"}};
  Add("worker-1", "Rebooted");
  EXPECT_THAT(Page(), HasSubstr("<title>Out of contact"));
  EXPECT_THAT(Page(), HasSubstr("<b>Out of contact</b> with the API server: "
                                "newer Events are missing. Up "));
  EXPECT_THAT(Page(), HasSubstr("Watch of all namespaces: connection refused"));
  EXPECT_THAT(Page(), HasSubstr("worker-1"));
}

TEST_F(PageTest, TellsAllOfAnEvent) {
  RecentEvent& event = Add("worker-1", "Whatever");
  event.event_namespace = "kube-system";
  event.count = 340;
  event.in_window = 12;
  event.first_seen = data.now - hours(72);
  event.message = "two\nlines <b>";
  EXPECT_THAT(
      Page(),
      HasSubstr(
          "<tr role=\"row\" class=\"warn\"><td role=\"cell\" class=\"age\">"
          "<time title=\"2026-11-23 11:54:48 UTC\" "
          "datetime=\"2026-11-23 11:54:48Z\">5m12s</time></td>"
          "<td role=\"cell\" class=\"type\">"
          "<span aria-hidden=\"true\">▲ </span>Warning</td>"
          "<td role=\"cell\" class=\"reason\">Whatever</td>"
          "<td role=\"cell\" class=\"object\"><small>Node</small> "
          "<a href=\"./objects/Node/worker-1\"><bdi>worker-1</bdi></a></td>"
          "<td role=\"cell\" class=\"message\"><details><summary>"
          "<span dir=\"auto\">two\nlines &lt;b&gt;</span></summary><div>"
          "<code>kubectl get events -n kube-system --field-selector "
          "involvedObject.kind=Node,involvedObject.name=worker-1</code>"
          "<small>Event kube-system/worker-1.18eaa4, about v1 Node, reported "
          "by kubelet, first seen 2026-11-20 12:00:00 UTC (3d ago)</small>"
          "</div></details></td>"
          "<td role=\"cell\" class=\"count\">12 <small>340 over 3d</small></td>"
          "<td role=\"cell\" class=\"ns\">kube-system</td></tr>\n"));
}

TEST_F(PageTest, ShowsWhenItSawWhatAWrongClockDates) {
  Add("worker-1", "Whatever").occurred_at = data.now - hours(2);
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("11:54:48Z\">5m12s</time>"));
  EXPECT_THAT(page, HasSubstr("ago), last occurrence 2026-11-23 10:00:00 UTC "
                              "by its writer's clock, received 5m12s ago"
                              "</small>"));
}

TEST_F(PageTest, MarksWhatItKnowsOnlyInPart) {
  RecentEvent& event = Add("worker-1", "Rebooted");
  event.count = 40;
  event.at_least = true;
  event.first_seen = data.now - hours(2);
  EXPECT_THAT(Page(), HasSubstr("1+ <small>40 over 120m</small>"));
  EXPECT_THAT(Page(), HasSubstr("<b>At least 1 occurrence</b>"));
}

TEST_F(PageTest, EscapesEveryText) {
  const std::string evil = "<i>&\"'\u202E\xff";
  RecentEvent& event = Add(evil, evil, evil);
  event.event_namespace = event.name = event.api_version = event.kind = evil;
  event.reporting_component = event.message = evil;
  data.version = data.namespaces.emplace_back(evil);
  data.watches = {{evil, true, false, evil}};
  const std::string page = Page();
  EXPECT_THAT(page, Not(HasSubstr("<i>")));
  EXPECT_THAT(page, Not(HasSubstr("\u202E")));
  EXPECT_THAT(page, Not(HasSubstr("\xff")));
  EXPECT_THAT(page, HasSubstr("&lt;i&gt;&amp;&quot;&#39;[U+202E]\uFFFD"));
}

class OfflinePageTest : public PageTest {
 protected:
  OfflinePageTest() {
    data.watches.clear();
    data.recent.listed = false;
    data.uptime = minutes(1);
    data.input = PageData::Input{"/tmp/<events>.json", true, 1234,
                                 data.now - hours(200), data.now - hours(100)};
  }
};

TEST_F(OfflinePageTest, NamesTheFileAndItsTimes) {
  EXPECT_THAT(Page(), HasSubstr("<title>0 need attention"));
  EXPECT_THAT(Page(),
              HasSubstr("<b>Offline</b> from /tmp/&lt;events&gt;.json: 1,234 "
                        "Events, from 2026-11-15 04:00:00 to 2026-11-19 "
                        "08:00:00 UTC.</p>"));
  EXPECT_THAT(Page(), HasSubstr("<h1>Cluster-scoped objects in "
                                "/tmp/&lt;events&gt;.json</h1>"));
  EXPECT_THAT(Page(), HasSubstr("<p>No Events about cluster-scoped objects in "
                                "/tmp/&lt;events&gt;.json.</p>"));
  for (const char* wrong : {"In sync", "API server", "Watching", "last hour",
                            "restarted", "tracked"}) {
    EXPECT_THAT(Page(), Not(HasSubstr(wrong)));
  }
}

TEST_F(OfflinePageTest, ShowsTheEvents) {
  RecentEvent& event = Add("worker-7", "SystemOOM");
  event.first_seen = event.occurred_at = event.seen_at = data.now - hours(100);
  event.in_window = event.count = 3;
  EXPECT_THAT(Page(), HasSubstr("<bdi>worker-7</bdi>"));
  EXPECT_THAT(Page(), HasSubstr(">4d4h</time>"));
  EXPECT_THAT(Page(), HasSubstr("class=\"count\">3</td>"));
  EXPECT_THAT(Page(), HasSubstr("Count is the number of occurrences.</p>"));
  EXPECT_THAT(Page(), Not(HasSubstr("last hour")));
}

TEST_F(OfflinePageTest, SaysThatItIsStillReading) {
  data.input->whole = false;
  data.input->events = 1;
  EXPECT_THAT(Page(), HasSubstr("<title>Reading"));
  EXPECT_THAT(Page(), HasSubstr("<b>Reading</b> from /tmp/&lt;events&gt;.json: "
                                "1 Event so far, from 2026"));
  EXPECT_THAT(Page(), HasSubstr("Events appear here when they are read."));
  data.input->events = 0;
  EXPECT_THAT(Page(), HasSubstr(".json: 0 Events so far.</p>"));
  data.input->whole = true;
  data.filtered = true;
  EXPECT_THAT(Page(), HasSubstr(".json: 0 Events before filters.</p>"));
}

TEST_F(PageTest, AddsUpTheHour) {
  Add("worker-1", "OOMKilling").in_window = 6;
  Add("worker-2", "OOMKilling").in_window = 6;
  Add("worker-2", "Whatever", "Normal").in_window = 24;
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("<title>12 need attention"));
  EXPECT_THAT(page, HasSubstr("<b>36 occurrences</b> in 3 Events about 2 "
                              "objects. <b class=\"warn\">12 need "
                              "attention</b>."));
  EXPECT_THAT(page, HasSubstr("<li><span><b>Whatever</b> Node <small></small>"
                              "</span><span>24 <span class=\"quiet\">on 1 "
                              "object<"));
  EXPECT_THAT(page, HasSubstr("<li class=\"warn\"><span><b>OOMKilling</b> Node "
                              "<small>Warning</small></span><span>12 <span "
                              "class=\"quiet\">on 2 objects"));
  EXPECT_THAT(page, HasSubstr("width=\"50\""));
  EXPECT_LT(page.find("<b>Whatever"), page.find("<b>OOMKilling"));
}

// Writers of Events about one object may give its apiVersion or leave it out.
TEST_F(PageTest, AddsUpObjectsAsTheSeriesDo) {
  Add("worker-1", "OOMKilling");
  Add("worker-1", "OOMKilling").api_version = "";
  Add("worker-1", "OOMKilling").api_version = "example.com/v1";
  Add("worker-1", "OOMKilling").api_version = "example.com/v1beta1";
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("in 4 Events about 2 objects."));
  EXPECT_THAT(page, HasSubstr("on 2 objects<"));
}

// NodeNotReady is of type Normal; the catalogue has it as critical.
TEST_F(PageTest, ExplainsWhatItKnowsAndMarksWhatIsBad) {
  Add("worker-1", "NodeNotReady", "Normal").in_window = 3;
  Add("worker-1", "NodeReady", "Normal");
  Add("worker-1", "NobodyKnowsIt", "Normal");
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("3 need attention"));
  EXPECT_THAT(page, HasSubstr("▲ </span>Normal <small>critical</small>"));
  EXPECT_THAT(page, HasSubstr("<p>The kubelet set its Ready condition to"));
  EXPECT_THAT(page, HasSubstr("<b>What to do:</b> Run kubectl describe node"));
  EXPECT_THAT(page, HasSubstr("<tr role=\"row\" class=\"other\">"));
}

TEST_F(PageTest, SaysWhatARestartWithoutAListHides) {
  data.uptime = minutes(7);
  EXPECT_THAT(Page(), Not(HasSubstr("restarted")));
  data.recent.listed = false;
  EXPECT_THAT(Page(), HasSubstr("The exporter restarted 7m ago and"));
  data.uptime = minutes(60);
  EXPECT_THAT(Page(), Not(HasSubstr("restarted")));
}

TEST_F(PageTest, SaysWhenNotAllFits) {
  Add("worker-1", "Rebooted");
  EXPECT_THAT(Page(), Not(HasSubstr("Not all Events fit")));
  data.recent.more = true;
  EXPECT_THAT(Page(), HasSubstr("Not all Events fit: these are the newest "
                                "500, and"));
  EXPECT_THAT(Page(), HasSubstr("At least 1 needs attention"));
}

}  // namespace
}  // namespace kem
