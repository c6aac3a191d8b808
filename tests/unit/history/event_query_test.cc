#include "history/event_query.h"

#include <gmock/gmock.h>

#include "base/rfc3339.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EventQueryTest : public ::testing::Test {
 protected:
  EventQuery Read(const std::string& text) {
    const Result<EventQuery> query = ParseEventQuery(text, now);
    EXPECT_TRUE(query) << text << ": " << query.error().message;
    return query ? *query : EventQuery();
  }
  std::string Refused(const std::string& text) {
    const Result<EventQuery> query = ParseEventQuery(text, now);
    EXPECT_FALSE(query) << text;
    if (query) return "";
    EXPECT_EQ(query.error().code, ErrorCode::kRejected);
    return query.error().message;
  }
  std::optional<WallTime> Since(const std::string& time) {
    return Read("since=" + time).since;
  }

  WallTime now{seconds(1795435200)};  // 2026-11-23T12:00:00Z
};

TEST_F(EventQueryTest, NothingMatchesAll) {
  for (const char* text : {"", "&", "&&=&=x&kind", "kind=&limit=&since="}) {
    EXPECT_EQ(ToUrlQuery(Read(text)), "") << text;
  }
  EXPECT_EQ(Read("").limit, 100U);
  EXPECT_FALSE(Read("namespace=").object_namespace);
}

TEST_F(EventQueryTest, ReadsAllParameters) {
  const EventQuery query = Read(
      "kind=Node&name=worker-1&namespace=shop&reason=SystemOOM&type="
      "Warning&component=kubelet&q=out+of%20memory&since=2h&until=30m&"
      "limit=7&cursor=m1.a%2Fb");
  EXPECT_EQ(query.kind, "Node");
  EXPECT_EQ(query.name, "worker-1");
  EXPECT_EQ(query.object_namespace, "shop");
  EXPECT_EQ(query.reason, "SystemOOM");
  EXPECT_EQ(query.type, "Warning");
  EXPECT_EQ(query.component, "kubelet");
  EXPECT_THAT(query.words, ElementsAre("out", "of", "memory"));
  EXPECT_EQ(query.since, now - hours(2));
  EXPECT_EQ(query.until, now - minutes(30));
  EXPECT_EQ(query.limit, 7U);
  EXPECT_EQ(query.cursor, "m1.a/b");
}

TEST_F(EventQueryTest, ADashSelectsClusterScopedObjects) {
  EXPECT_EQ(Read("namespace=-").object_namespace, "");
}

TEST_F(EventQueryTest, IgnoresOtherParametersAsPrometheusDoes) {
  EXPECT_EQ(ToUrlQuery(Read("Kind=x&kind[]=Node&_=1&__proto__=x&kind2=%00&"
                            "kind=Node")),
            "kind=Node");
}

TEST_F(EventQueryTest, ReadsTimesOfPeopleAgentsAndGrafana) {
  const std::pair<const char*, WallTime> times[] = {
      {"2026-11-23T11:00:00Z", now - hours(1)},
      {"2026-11-23T12:00:00.5%2B01:00", now - hours(1) + milliseconds(500)},
      {"2026-11-23T12:00:00+01:00", now - hours(1)},
      {"90m", now - minutes(90)},
      {"1h30m", now - minutes(90)},
      {"14d", now - hours(14 * 24)},
      {"1d12h", now - hours(36)},
      {"1.5d", now - hours(36)},
      {"0d", now},
      {"1500ms", now - milliseconds(1500)},
      {"1795435200", now},
      {"1795435199.25", now - milliseconds(750)},
      {"1795435200.123456789", now + microseconds(123456)},
      {"1795435199250", now - milliseconds(750)},
      {"0", WallTime()}};
  for (const auto& [text, time] : times) EXPECT_EQ(Since(text), time) << text;
}

TEST_F(EventQueryTest, RefusesWhatIsNoTime) {
  for (const char* text : {"yesterday",
                           "-1h",
                           "1x",
                           "d",
                           "1dd",
                           "1d1",
                           "9999d",
                           "1h-",
                           "12:00",
                           "2026-11-23",
                           "2026-13-23T12:00:00Z",
                           "1795435199.2.5",
                           "1795435199.x",
                           "99999999999999999999",
                           "253402300800000",
                           ".",
                           "-5",
                           "NaN",
                           "1e9",
                           "0x10",
                           "2026-11-23%2012:00:00Z"}) {
    EXPECT_THAT(Refused("until=" + std::string(text)),
                HasSubstr("until must be a time such as "))
        << text;
  }
  EXPECT_EQ(Refused("since=soon"),
            "since must be a time such as 2026-11-23T12:53:29Z, a duration "
            "such as 2h or 14d, or Unix seconds, not \"soon\"");
  EXPECT_EQ(Refused("since=1h&until=1h"), "since must be before until");
}

TEST_F(EventQueryTest, RefusesWrongLimits) {
  for (const char* text :
       {"0", "501", "-1", "1.5", "ten", "1+", "0x1", "99999999999999999999"}) {
    EXPECT_THAT(Refused("limit=" + std::string(text)),
                HasSubstr("limit must be a number from 1 to 500, not "))
        << text;
  }
  EXPECT_EQ(Read("limit=500").limit, 500U);
}

TEST_F(EventQueryTest, DecodesStrictly) {
  for (const char* text : {"kind=%", "kind=%2", "kind=%zz", "ki%nd=x",
                           "other=%", "kind=Node&q=100%"}) {
    EXPECT_THAT(Refused(text), HasSubstr("a % without two hexadecimal digits"))
        << text;
  }
  EXPECT_EQ(Read("k%69nd=%4eode").kind, "Node");
  EXPECT_EQ(Read("name=a=b%26c").name, "a=b&c");
}

TEST_F(EventQueryTest, RefusesControlCharactersAndWrongUtf8) {
  for (const char* value : {"%00", "a%00b", "%0A", "%7F", "%1b[31m", "%FF",
                            "%C0%AF", "%ED%A0%80"}) {
    for (const char* name : {"kind", "name", "namespace", "reason", "type",
                             "component", "q", "cursor", "since", "limit"}) {
      EXPECT_EQ(
          Refused(std::string(name) + "=" + value),
          std::string(name) + " must be UTF-8 text without control characters");
    }
  }
}

TEST_F(EventQueryTest, RefusesRepeats) {
  EXPECT_EQ(Refused("kind=Node&kind=Pod"), "kind must be given once");
  EXPECT_EQ(Refused("q=a&q=a"), "q must be given once");
  EXPECT_EQ(Read("kind=&kind=Pod&kind=").kind, "Pod");
}

TEST_F(EventQueryTest, RefusesWhatIsTooLong) {
  const std::string longest(kMaxQueryValue, 'x');
  EXPECT_EQ(Read("name=" + longest).name, longest);
  EXPECT_EQ(Refused("name=x" + longest), "name must have at most 512 bytes");
  EXPECT_EQ(Refused("since=x" + longest), "since must have at most 512 bytes");
  EXPECT_EQ(Refused("cursor=" + std::string(kMaxQueryCursor + 1, 'x')),
            "cursor must have at most 1024 bytes");
  EXPECT_EQ(Refused("q=1+2+3+4+5+6+7+8+9+a+b+c+d+e+f+0+1"),
            "q must have at most 16 words");
}

TEST_F(EventQueryTest, ShowsOnlySafeAndShortTextInErrors) {
  EXPECT_THAT(Refused("since=%E2%80%AEx"), HasSubstr("\"[U+202E]x\""));
  EXPECT_THAT(Refused("limit=" + std::string(400, 'x')),
              HasSubstr("not \"" + std::string(64, 'x') + "…\""));
}

TEST_F(EventQueryTest, WritesWhatItReads) {
  EventQuery query;
  query.kind = "Node";
  query.name = "a&b=c%\u00e4 +#";
  query.object_namespace = "";
  query.reason = "<script>";
  query.type = "Warning";
  query.component = "kubelet";
  query.words = {"out", "\"of\""};
  query.since = now + microseconds(1);
  query.until = now + hours(1);
  query.limit = 5;
  query.cursor = "m1.default/x";
  const std::string text = ToUrlQuery(query);
  EXPECT_EQ(text,
            "kind=Node&name=a%26b%3Dc%25%C3%A4%20%2B%23&reason=%3Cscript%3E&"
            "type=Warning&component=kubelet&cursor=m1.default%2Fx&namespace=-&"
            "q=out%20%22of%22&since=2026-11-23T12%3A00%3A00.000001Z&"
            "until=2026-11-23T13%3A00%3A00.000000Z&limit=5");
  EXPECT_EQ(ToUrlQuery(Read(text)), text);
  query = EventQuery();
  query.object_namespace = "shop";
  EXPECT_EQ(ToUrlQuery(query), "namespace=shop");
}

TEST(UrlParameterTest, IsWhatTheClientWrote) {
  EXPECT_EQ(UrlParameter("a=1&q=boot+id%26&q=2", "q"), "boot id&");
  EXPECT_EQ(UrlParameter("%71=x", "q"), "x");
  EXPECT_EQ(UrlParameter("since=%3Cyesterday%3E", "since"), "<yesterday>");
  EXPECT_EQ(UrlParameter("qq=1&q", "q"), "");
  EXPECT_EQ(UrlParameter("q=%zz", "q"), "");
  EXPECT_EQ(UrlParameter("", "q"), "");
}

}  // namespace
}  // namespace kem
