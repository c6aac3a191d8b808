#include "reflector/api_lister_watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/scripted_transport.h"

namespace kem {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kPage[] =
    R"({"metadata":{"resourceVersion":"100"},"items":[{"a":1},{"b":2}]})";

class Collector : public WatchHandler {
 public:
  void OnOpen(std::optional<WallTime> date) override {
    opened = true;
    server_time = date;
  }
  bool OnBytes(std::string_view more) override {
    bytes += more;
    return bytes.size() < enough;
  }
  bool opened = false;
  std::optional<WallTime> server_time;
  std::string bytes;
  size_t enough = 1000;
};

class ApiListerWatcherTest : public ::testing::Test {
 protected:
  std::optional<Failure> List(ScriptedAnswer answer) {
    transport_.answers = {std::move(answer)};
    return api_.List(ListOptions{500, ""}, seconds(65), page_,
                     stop_.get_token());
  }
  WatchOutcome Watch(ScriptedAnswer answer) {
    transport_.answers = {std::move(answer)};
    return api_.Watch(WatchOptions{100, seconds(240)}, handler_,
                      stop_.get_token());
  }

  ScriptedTransport transport_;
  ApiListerWatcher api_{transport_, "/api/v1/events", 100};
  ListPage page_;
  Collector handler_;
  std::stop_source stop_;
};

TEST_F(ApiListerWatcherTest, ListsAPage) {
  const WallTime date{std::chrono::hours(1000)};
  EXPECT_FALSE(List({{200, {}, date}, {"{", std::string(kPage).substr(1)}}));
  EXPECT_EQ(page_.resource_version, 100u);
  EXPECT_THAT(page_.items, ElementsAre(R"({"a":1})", R"({"b":2})"));
  EXPECT_EQ(page_.server_time, date);
  EXPECT_EQ(transport_.requests.at(0).path, "/api/v1/events?limit=500");
  EXPECT_EQ(transport_.requests.at(0).deadline, seconds(65));
  EXPECT_EQ(transport_.requests.at(0).read_timeout, seconds(65));
}

TEST_F(ApiListerWatcherTest, AsksForEverythingWithoutAQuestionMark) {
  transport_.answers = {{{200, {}, {}}, {kPage}}};
  EXPECT_FALSE(api_.List({}, seconds(65), page_, {}));
  EXPECT_EQ(transport_.requests.at(0).path, "/api/v1/events");
}

TEST_F(ApiListerWatcherTest, ForgetsThePageBefore) {
  EXPECT_FALSE(List({{200, {}, {}}, {kPage}}));
  EXPECT_FALSE(List({{200, {}, {}}, {kPage}}));
  EXPECT_EQ(page_.items.size(), 2u);
}

TEST_F(ApiListerWatcherTest, RefusesAPageThatIsTooLarge) {
  const auto failure =
      List({{200, {}, {}}, {std::string(60, ' '), std::string(41, ' ')}});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->error.code, ErrorCode::kTooLarge);
}

TEST_F(ApiListerWatcherTest, RefusesAPageThatIsNone) {
  const auto failure = List({{200, {}, {}}, {"<html>"}});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->error.code, ErrorCode::kMalformed);
  EXPECT_EQ(failure->error.message,
            "The list of /api/v1/events returned no list, but \"<html>\": this "
            "is HTML, so a login page or a proxy answers instead of the API "
            "server; check the server address");
}

TEST_F(ApiListerWatcherTest, ReportsWhatCameInPlaceOfAPage) {
  const std::pair<const char*, const char*> cases[] = {
      {"please sign in\n", " returned no list, but \"please sign in\""},
      {"\x1F\x8B\x08", " returned no list, but gzip data"},
      {"", " returned no list, but nothing"},
      {R"({"kind":"Status","code":403,"reason":"Forbidden","message":"no"})",
       " returned no list, but a Status: 403 Forbidden: no"},
      {R"({"kind":"PodList","metadata":{},"items":[{}]})",
       ": not a list: its kind is PodList"}};
  for (const auto& [body, sentence] : cases) {
    const auto failure = List({{200, {}, {}}, {body}});
    ASSERT_TRUE(failure) << body;
    EXPECT_EQ(failure->error.code, ErrorCode::kMalformed);
    EXPECT_EQ(failure->error.message,
              std::string("The list of /api/v1/events") + sentence);
  }
}

TEST_F(ApiListerWatcherTest, DoesNotTrustAPageThatBrokeOff) {
  for (const HttpEnd end : {HttpEnd::kTruncated, HttpEnd::kTimeout}) {
    const auto failure = List({{200, {}, {}}, {kPage}, end, "reset"});
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->error.code, ErrorCode::kUnavailable);
    EXPECT_THAT(failure->error.message, HasSubstr("reset"));
  }
}

TEST_F(ApiListerWatcherTest, ReportsWhatARejectionMeans) {
  const auto failure = List({{429, seconds(3), {}}, {"Too many requests"}});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->error.code, ErrorCode::kThrottled);
  EXPECT_EQ(
      failure->error.message,
      "The list of /api/v1/events failed with status 429: Too many requests");
  EXPECT_EQ(failure->http_status, 429);
  EXPECT_EQ(failure->retry_after, seconds(3));
}

TEST_F(ApiListerWatcherTest, BelievesTheStatusOfARefusalThatBrokeOff) {
  const auto failure = List({{403, {}, {}}, {"no"}, HttpEnd::kTruncated, ""});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->error.code, ErrorCode::kForbidden);
}

TEST_F(ApiListerWatcherTest, ReadsNoMoreThanTheBeginningOfARefusal) {
  const auto failure =
      List({{500, {}, {}}, {std::string(2000, 'x'), std::string(2000, 'y')}});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->error.code, ErrorCode::kUnavailable);
  EXPECT_EQ(failure->http_status, 500);
}

TEST_F(ApiListerWatcherTest, NoAnswerIsUnavailable) {
  const auto failure =
      List({{0, {}, {}}, {}, HttpEnd::kUnreachable, "connection refused"});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->error.code, ErrorCode::kUnavailable);
  EXPECT_EQ(failure->http_status, 0);
  EXPECT_EQ(failure->error.message,
            "The list of /api/v1/events got no response: connection refused");
}

TEST_F(ApiListerWatcherTest, AStopIsCancelled) {
  stop_.request_stop();
  const auto failure = List({});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->error.code, ErrorCode::kCancelled);
  EXPECT_EQ(Watch({}).end, WatchOutcome::End::kStopped);
}

TEST_F(ApiListerWatcherTest, WatchesWithADeadlineOfItsOwn) {
  const WallTime date{std::chrono::hours(1000)};
  const WatchOutcome outcome = Watch({{200, {}, date}, {"ab", "c"}});
  EXPECT_EQ(outcome.end, WatchOutcome::End::kComplete);
  EXPECT_TRUE(handler_.opened);
  EXPECT_EQ(handler_.server_time, date);
  EXPECT_EQ(handler_.bytes, "abc");
  EXPECT_EQ(transport_.requests.at(0).path,
            "/api/v1/events?watch=1&allowWatchBookmarks=true"
            "&resourceVersion=100&timeoutSeconds=240");
  EXPECT_EQ(transport_.requests.at(0).deadline, seconds(255));
  EXPECT_EQ(transport_.requests.at(0).read_timeout, seconds(255));
}

TEST_F(ApiListerWatcherTest, ReportsHowAWatchEnded) {
  using End = WatchOutcome::End;
  EXPECT_EQ(Watch({{200, {}, {}}, {"a"}, HttpEnd::kTruncated, ""}).end,
            End::kTruncated);
  EXPECT_EQ(Watch({{200, {}, {}}, {}, HttpEnd::kTimeout, ""}).end,
            End::kTimeout);
  handler_.enough = 1;
  EXPECT_EQ(Watch({{200, {}, {}}, {"a", "b"}}).end, End::kAborted);
}

TEST_F(ApiListerWatcherTest, AWatchThatIsRefusedNeverOpens) {
  const WatchOutcome outcome = Watch(
      {{410, {}, {}}, {R"({"kind":"Status","reason":"Expired","code":410})"}});
  EXPECT_EQ(outcome.end, WatchOutcome::End::kFailed);
  EXPECT_EQ(outcome.failure.error.code, ErrorCode::kExpired);
  EXPECT_FALSE(handler_.opened);
  EXPECT_EQ(handler_.bytes, "");
}

TEST_F(ApiListerWatcherTest, AWatchWithoutAnAnswerIsUnavailable) {
  const WatchOutcome outcome =
      Watch({{0, {}, {}}, {}, HttpEnd::kTimeout, "timed out"});
  EXPECT_EQ(outcome.end, WatchOutcome::End::kFailed);
  EXPECT_EQ(outcome.failure.error.code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace kem
