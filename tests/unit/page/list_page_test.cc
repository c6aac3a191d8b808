// The list at / with a filter, and its filter bar.
#include <gmock/gmock.h>

#include "page/page.h"
#include "page_fixture.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::HasSubstr;
using ::testing::Not;

class ListPageTest : public ::testing::Test {
 protected:
  std::string Page() { return RenderList(data, list); }

  PageData data = TestPageData();
  PageList list;
};

TEST_F(ListPageTest, ShowsAnyEvent) {
  FoundEvent& event =
      list.events.emplace_back(FoundNodeEvent("Failed", "Warning", hours(20)));
  event.kind = "Pod";
  event.cluster_scoped = false;
  event.object_namespace = "shop";
  event.object_name = "web-0";
  event.count = 340;
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("<title>Events · "));
  EXPECT_THAT(page, HasSubstr("<small>Pod</small> "
                              "<a href=\"./objects/Pod/web-0?namespace=shop\">"
                              "<bdi>shop/web-0</bdi></a>"));
  EXPECT_THAT(page, HasSubstr(">20h</time>"));
  EXPECT_THAT(page, HasSubstr("class=\"count\">340</td>"));
  EXPECT_THAT(page, HasSubstr("<b>340 occurrences</b> in 1 Event about 1 "
                              "object."));
  EXPECT_THAT(page,
              HasSubstr("Events are known since 2026-11-22 06:00:00 UTC"));
  EXPECT_THAT(page, Not(HasSubstr("last hour")));
  EXPECT_THAT(page, Not(HasSubstr("class=\"pages\"")));
}

TEST_F(ListPageTest, TellsObjectsOfTwoNamespacesApart) {
  for (const char* name : {"shop", "bank"}) {
    FoundEvent& event =
        list.events.emplace_back(FoundNodeEvent("Failed", "Normal", hours(1)));
    event.cluster_scoped = false;
    event.object_namespace = name;
  }
  EXPECT_THAT(Page(), HasSubstr("about 2 objects."));
}

TEST_F(ListPageTest, LinksToOtherPages) {
  list.events.push_back(FoundNodeEvent("Rebooted", "Warning", hours(1)));
  list.older = "?kind=a&cursor=\">x";
  EXPECT_THAT(Page(), HasSubstr("<nav class=\"pages\" aria-label=\"Pages\">"
                                "<a rel=\"next\" href=\"?kind=a&amp;cursor="
                                "&quot;&gt;x\">Older</a></nav>"));
  list.newest = "?kind=a";
  EXPECT_THAT(Page(), HasSubstr("<a href=\"?kind=a\">Newest</a>"));
}

TEST_F(ListPageTest, SaysThatNothingMatches) {
  EXPECT_THAT(Page(), HasSubstr("<p>No Events match.</p><p class=\"quiet\">"
                                "Events are known since 2026-11-22"));
  EXPECT_THAT(Page(), Not(HasSubstr("<table")));
  data.known_since = WallTime::min();
  data.input = PageData::Input{"dump.json", true, 1, {}, {}};
  EXPECT_THAT(Page(), HasSubstr("No Events match."));
  EXPECT_THAT(Page(), Not(HasSubstr("known since")));
}

TEST_F(ListPageTest, KeepsTheFormOfABadFilter) {
  const std::string evil = "\"><i>'\u202E";
  const std::string shown = "&quot;&gt;&lt;i&gt;&#39;[U+202E]";
  list.filter = {evil, evil, evil, evil, evil, evil, evil, evil, evil};
  list.problem = "since is <wrong>.";
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("<p class=\"problem\" role=\"alert\">since is "
                              "&lt;wrong&gt;.</p>"));
  EXPECT_THAT(page, Not(HasSubstr("<i>")));
  EXPECT_THAT(page, Not(HasSubstr("\u202E")));
  for (const char* name :
       {"kind", "name", "namespace", "reason", "component", "q", "until"}) {
    EXPECT_THAT(page, HasSubstr("name=\"" + std::string(name) + "\" value=\"" +
                                shown + "\""));
  }
  EXPECT_THAT(page, HasSubstr("<option value=\"" + shown + "\" selected>"));
  EXPECT_THAT(page, Not(HasSubstr("No Events match")));
}

TEST_F(ListPageTest, OffersTheTimeThatIsKnown) {
  EXPECT_THAT(Page(), HasSubstr(">24h</option><option value=\"7d\">7d</option>"
                                "</select>"));
  data.known_since = data.now - hours(1);
  EXPECT_THAT(Page(), HasSubstr("\">1h</option></select>"));
  data.known_since = data.now;
  EXPECT_THAT(Page(), HasSubstr("\">15m</option></select>"));
  data.known_since = WallTime::min();
  EXPECT_THAT(Page(), HasSubstr("\">14d</option></select>"));
  list.filter.since = "1h";
  EXPECT_THAT(Page(), HasSubstr("<option value=\"1h\" selected>1h</option>"));
}

TEST_F(ListPageTest, FiltersWithoutAScriptOnThisSiteOnly) {
  EXPECT_THAT(Page(), HasSubstr("form-action 'self'"));
  EXPECT_THAT(Page(), HasSubstr("<form class=\"bar\" method=\"get\" "
                                "action=\"./\" role=\"search\""));
  EXPECT_THAT(Page(), HasSubstr("<label>Kind<input name=\"kind\""));
  EXPECT_THAT(Page(), Not(HasSubstr("<script")));
  EXPECT_THAT(Page(), Not(HasSubstr("Clear")));
  list.filter.kind = "Node";
  EXPECT_THAT(Page(), HasSubstr("<a href=\"./\">Clear</a>"));
  EXPECT_THAT(RenderPage(data), HasSubstr("<form class=\"bar\""));
}

TEST_F(ListPageTest, CutsLongTexts) {
  FoundEvent& event =
      list.events.emplace_back(FoundNodeEvent("R", "Warning", minutes(1)));
  event.message = std::string(1023, 'm') + "é" + std::string(1 << 20, 'n');
  event.object_name = event.reason = event.kind = event.event_namespace =
      std::string(1 << 20, 'o');
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr(std::string(1023, 'm') + "…"));
  EXPECT_LT(page.size(), size_t{64} << 10);
}

TEST_F(ListPageTest, SaysWhenItIsNotInSync) {
  data.watches[0].in_contact = false;
  EXPECT_THAT(Page(), HasSubstr("<title>Out of contact"));
}

}  // namespace
}  // namespace kem
