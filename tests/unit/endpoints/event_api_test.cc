// The API's routes over a scripted source: status codes, negotiation, errors.
#include "endpoints/event_api.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "testing/fake_clock.h"

namespace kem {
namespace {

using ::testing::HasSubstr;

// Returns `error` if there is one, else one Event and object.
class ScriptedSource : public EventSource {
 public:
  Result<FoundEvents> FindEvents(const EventQuery& query,
                                 const std::stop_token&) override {
    last = query;
    if (error) return *error;
    FoundEvents found;
    found.events.resize(std::min(events, query.limit));
    if (events > query.limit) found.next = std::to_string(query.limit);
    for (FoundEvent& event : found.events) event.message = message;
    return found;
  }
  Result<FoundObjects> FindObjects(const EventQuery& query,
                                   const std::stop_token&) override {
    last = query;
    if (error) return *error;
    return FoundObjects{{FoundObject()}, ""};
  }
  WallTime KnownSince() override { return WallTime::min(); }

  std::optional<Error> error;
  size_t events = 1;
  std::string message;
  EventQuery last;
};

class EventApiTest : public ::testing::Test {
 protected:
  RouteAnswer Ask(const std::string& path, const std::string& query = "",
                  const std::string& accept = "") {
    for (const HttpRoute& route : routes) {
      if (route.path == path) return route.answer({{}, query, accept}, {});
    }
    ADD_FAILURE() << "no route " << path;
    return {};
  }
  int Accepts(const std::string& accept) {
    return Ask("/api/v1/events", "", accept).status;
  }
  std::string ErrorType(const RouteAnswer& answer) {
    const auto json = nlohmann::json::parse(answer.body);
    EXPECT_EQ(json["status"], "error");
    EXPECT_NE(json["error"], "");
    return json["errorType"];
  }

  FakeClock clock;
  std::shared_ptr<ScriptedSource> source = std::make_shared<ScriptedSource>();
  std::vector<HttpRoute> routes =
      EventApiRoutes([this] { return source; }, clock);
};

TEST_F(EventApiTest, AnswersWithWhatTheSourceFinds) {
  RouteAnswer answer = Ask("/api/v1/events", "kind=Node&since=1h&limit=3");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_THAT(answer.body, HasSubstr("\"data\":{\"events\":[{"));
  EXPECT_EQ(source->last.kind, "Node");
  EXPECT_EQ(source->last.limit, 3U);
  EXPECT_EQ(source->last.since, clock.WallNow() - std::chrono::hours(1));
  answer = Ask("/api/v1/objects", "kind=Pod");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("\"data\":{\"objects\":[{"));
  EXPECT_EQ(source->last.kind, "Pod");
}

TEST_F(EventApiTest, ErrorsAreThoseOfPrometheus) {
  for (const char* path : {"/api/v1/events", "/api/v1/objects"}) {
    RouteAnswer answer = Ask(path, "limit=0");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(ErrorType(answer), "bad_data");
    const std::tuple<ErrorCode, int, const char*> cases[] = {
        {ErrorCode::kRejected, 400, "bad_data"},
        {ErrorCode::kUnavailable, 503, "unavailable"},
        {ErrorCode::kCancelled, 503, "unavailable"},
        {ErrorCode::kInternal, 500, "internal"}};
    for (const auto& [code, status, type] : cases) {
      source->error = Error{code, "why"};
      answer = Ask(path);
      EXPECT_EQ(answer.status, status);
      EXPECT_EQ(ErrorType(answer), type);
      EXPECT_THAT(answer.body, HasSubstr("\"error\":\"why\""));
    }
    source->error.reset();
  }
}

TEST_F(EventApiTest, HonoursAccept) {
  for (const char* accept :
       {"", "*/*", "application/json", "APPLICATION/JSON; charset=utf-8",
        "text/html, application/*;q=0.1", "text/html,*/*;q=0.8", " , ",
        "application/json, */*;q=0", "application/json;q=0.01",
        "*/*;q=0, application/json;q=1.0"}) {
    EXPECT_EQ(Accepts(accept), 200) << accept;
  }
  for (const char* accept :
       {"text/html", "application/jsonl", "json", "*", "application/xml,text/*",
        "application/json;q=0", "application/json; q=0.000, */*", "*/*;q=0.0",
        "application/*;q=0,*/*;q=1", ";q=1"}) {
    EXPECT_EQ(Accepts(accept), 406) << accept;
  }
  EXPECT_EQ(ErrorType(Ask("/api/v1/objects", "", "text/html")),
            "not_acceptable");
}

TEST_F(EventApiTest, EndsAPageEarlyThatIsTooLarge) {
  source->events = 500;
  source->message = std::string(30000, 'x');
  const RouteAnswer answer = Ask("/api/v1/events", "limit=500");
  EXPECT_EQ(answer.status, 200);
  const auto data = nlohmann::json::parse(answer.body)["data"];
  EXPECT_EQ(data["events"].size(), 125U);
  EXPECT_EQ(data["next"], "125");
}

TEST_F(EventApiTest, RefusesAnEventThatIsTooLarge) {
  source->message = std::string(size_t{7} << 20, 'x');
  const RouteAnswer answer = Ask("/api/v1/events");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(ErrorType(answer), "unavailable");
  EXPECT_THAT(answer.body, HasSubstr("one Event is larger than 6 MiB"));
}

}  // namespace
}  // namespace kem
