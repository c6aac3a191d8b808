// When a mirror is written, and the API server's answers.
#include "sinks/mirror_sink.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "testing/scripted_transport.h"
#include "unit/sinks/deliveries.h"
#include "unit/sinks/rebooted.h"

namespace kem {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

constexpr char kEvents[] = "/api/v1/namespaces/infra/events";

Occurrence Named(std::string_view uid, uint32_t count, uint32_t delta) {
  Occurrence one = Rebooted();
  one.uid = uid;
  one.name = uid;
  one.count = count;
  one.delta = delta;
  return one;
}

// A response: its status and its body.
struct Reply {
  Reply(int status_code, std::string text = "")
      : status(status_code), body(std::move(text)) {}
  int status;
  std::string body;
};

// The mirror that the API server has after this occurrence, at version 77.
Reply MirrorOf(const Occurrence& occurrence) {
  return {200, MirrorBody(occurrence, "infra", "77")};
}

class MirrorSinkTest : public ::testing::Test {
 protected:
  // One answer per request; requests after them fail.
  Delivery Deliver(const std::vector<Occurrence>& batch,
                   const std::vector<Reply>& answers) {
    transport.requests.clear();
    transport.answers.clear();
    for (const Reply& answer : answers) {
      transport.answers.push_back({{answer.status, {}, {}}, {answer.body}});
    }
    return sink.Deliver(batch, stop.get_token());
  }
  // Method, and the Event's name without its hash, empty for a create.
  std::vector<std::string> Requests() const {
    std::vector<std::string> all;
    for (const HttpRequest& request : transport.requests) {
      EXPECT_TRUE(request.path.starts_with(kEvents)) << request.path;
      const std::string name = request.path.substr(sizeof(kEvents) - 1);
      all.push_back(request.method + " " + name.substr(0, name.rfind('.')));
    }
    return all;
  }

  ScriptedTransport transport;
  std::stop_source stop;
  MirrorSink sink{std::make_unique<BorrowedTransport>(transport), "infra"};
};

TEST_F(MirrorSinkTest, ANewEventIsCreated) {
  const Delivery delivery = Deliver({Rebooted()}, {201});
  EXPECT_EQ(delivery.done, 1U);
  EXPECT_EQ(delivery.refused, 0U);
  EXPECT_EQ(delivery.refusal, "");
  EXPECT_EQ(Problem(delivery), "");
  ASSERT_EQ(transport.requests.size(), 1U);
  EXPECT_EQ(transport.requests[0].method, "POST");
  EXPECT_EQ(transport.requests[0].path, kEvents);
  EXPECT_EQ(transport.requests[0].content_type, "application/json");
  EXPECT_EQ(transport.requests[0].body, MirrorBody(Rebooted(), "infra"));
}

TEST_F(MirrorSinkTest, AKnownEventIsPatchedAtTheVersionThatWasRead) {
  const Occurrence known = Named("worker-1.17", 7, 1);
  EXPECT_EQ(Deliver({known}, {MirrorOf(Named("worker-1.17", 6, 1)), 200}).done,
            1U);
  ASSERT_EQ(transport.requests.size(), 2U);
  const std::string path =
      kEvents + ("/" + MirrorName("worker-1.17", "worker-1.17"));
  EXPECT_EQ(transport.requests[0].method, "GET");
  EXPECT_EQ(transport.requests[0].path, path);
  EXPECT_EQ(transport.requests[1].method, "PATCH");
  EXPECT_EQ(transport.requests[1].path, path);
  EXPECT_EQ(transport.requests[1].content_type, "application/merge-patch+json");
  EXPECT_EQ(transport.requests[1].body, MirrorBody(known, "infra", "77"));
  auto body = nlohmann::json::parse(transport.requests[1].body);
  EXPECT_EQ(body["metadata"]["resourceVersion"], "77");
  body["metadata"].erase("resourceVersion");
  EXPECT_EQ(body, nlohmann::json::parse(MirrorBody(known, "infra")));
}

TEST_F(MirrorSinkTest, PatchesAnOlderAndCreatesAMissingMirror) {
  const Occurrence fresh = Named("a", 2, 2);
  const Occurrence known = Named("b", 3, 1);
  const Reply older_a = MirrorOf(Named("a", 1, 1));
  const Reply older_b = MirrorOf(Named("b", 2, 1));
  EXPECT_EQ(Deliver({fresh}, {409, older_a, 200}).done, 1U);
  EXPECT_THAT(Requests(), ElementsAre("POST ", "GET /a", "PATCH /a"));
  EXPECT_EQ(Deliver({known}, {404, 201}).done, 1U);
  EXPECT_THAT(Requests(), ElementsAre("GET /b", "POST "));
  // Another replica came between.
  EXPECT_EQ(Deliver({known}, {404, 409, older_b, 200}).done, 1U);
  EXPECT_THAT(Requests(), ElementsAre("GET /b", "POST ", "GET /b", "PATCH /b"));
  EXPECT_EQ(Deliver({known}, {older_b, 409, older_b, 200}).done, 1U);
  EXPECT_THAT(Requests(),
              ElementsAre("GET /b", "PATCH /b", "GET /b", "PATCH /b"));
  EXPECT_EQ(Deliver({known}, {older_b, 409, MirrorOf(known)}).done, 1U);
  EXPECT_THAT(Requests(), ElementsAre("GET /b", "PATCH /b", "GET /b"));
  // It expired in between.
  EXPECT_EQ(Deliver({known}, {older_b, 404, 201}).done, 1U);
  EXPECT_THAT(Requests(), ElementsAre("GET /b", "PATCH /b", "POST "));
}

// Two replicas: the second one reads and writes nothing.
TEST_F(MirrorSinkTest, WhatIsAsNewIsDeliveredWithoutAWrite) {
  const Occurrence fresh = Named("a", 1, 1);
  const Occurrence known = Named("b", 3, 1);
  const Delivery delivery =
      Deliver({fresh, known}, {409, MirrorOf(fresh), MirrorOf(known)});
  EXPECT_EQ(delivery.done, 2U);
  EXPECT_EQ(delivery.refused, 0U);
  EXPECT_EQ(Problem(delivery), "");
  EXPECT_THAT(Requests(), ElementsAre("POST ", "GET /a", "GET /b"));
}

TEST_F(MirrorSinkTest, NeverLowersAMirror) {
  const struct {
    const char* what;
    int count;
    int version;
    int second;
    bool written;
  } cases[] = {
      // The mirror has count 16, version 500 and second 100.
      {"a backlog", 8, 300, 50, false},
      {"the same occurrence", 16, 500, 100, false},
      {"the next occurrence", 17, 501, 101, true},
      {"the next one in the same second", 17, 501, 100, true},
      {"the next one by a clock that was set back", 17, 501, 40, true},
      {"the next one after a restore of etcd", 17, 200, 101, true},
      {"a backlog from before a restore of etcd", 8, 900, 50, false},
      {"another write of the same occurrence", 16, 501, 100, false},
      {"a writer that was restarted", 1, 501, 101, true},
      {"an older one of a writer that was restarted", 1, 400, 101, false},
  };
  Occurrence there = Named("a", 16, 1);
  there.resource_version = 500;
  const WallTime start = there.occurred_at - seconds(100);
  for (const auto& one : cases) {
    Occurrence occurrence = Named("a", 0, 0);
    occurrence.count = static_cast<uint32_t>(one.count);
    // Also for a new Event, after a create that fails.
    for (const bool is_new : {false, true}) {
      occurrence.delta = is_new ? occurrence.count : 0;
      occurrence.resource_version = static_cast<uint64_t>(one.version);
      occurrence.occurred_at = start + seconds(one.second);
      std::vector<Reply> answers = {MirrorOf(there), 200};
      if (is_new) answers.insert(answers.begin(), 409);
      EXPECT_EQ(Deliver({occurrence}, answers).done, 1U);
      EXPECT_EQ(transport.requests.back().method == "PATCH", one.written)
          << one.what;
    }
  }
}

TEST_F(MirrorSinkTest, RepairsAMirrorThatIsDamaged) {
  const Occurrence known = Named("a", 3, 1);
  const auto there = nlohmann::json::parse(MirrorOf(Named("a", 3, 1)).body);
  const std::string annotation =
      "/metadata/annotations/kube-event-metrics~1original";
  const std::pair<std::string, nlohmann::json> damages[] = {
      {annotation, "no JSON"},
      {annotation, R"({"uid":7})"},
      {annotation, R"({"uid":"other"})"},
      {annotation, "[]"},
      {annotation, 7},
      {"/metadata/annotations", nullptr},
      {"/count", "3"},
      {"/count", -3},
      {"/count", 2.5},
      {"/count", nlohmann::json::array()}};
  for (const auto& [path, value] : damages) {
    nlohmann::json damaged = there;
    damaged[nlohmann::json::json_pointer(path)] = value;
    EXPECT_EQ(Deliver({known}, {{200, damaged.dump()}, 200}).done, 1U);
    EXPECT_THAT(Requests(), ElementsAre("GET /a", "PATCH /a")) << damaged;
  }
}

TEST_F(MirrorSinkTest, RefusesWhatIsNoEvent) {
  for (const std::string body :
       {"", "null", "[]", "<html>", "{", R"({"metadata":[]})",
        R"({"metadata":{"resourceVersion":7}})",
        R"({"metadata":{"resourceVersion":""}})"}) {
    const Delivery delivery =
        Deliver({Named("a", 3, 1), Named("b", 1, 1)}, {{200, body}, 201});
    EXPECT_EQ(delivery.done, 2U);
    EXPECT_EQ(delivery.refused, 1U) << body;
    EXPECT_EQ(delivery.refusal, "GET " + transport.requests[0].path +
                                    ": the response is not an Event");
  }
}

TEST_F(MirrorSinkTest, RetriesWhatFails) {
  const Occurrence fresh = Named("a", 2, 2);
  const Occurrence known = Named("b", 3, 1);
  const Reply older = MirrorOf(Named("a", 1, 1));
  const auto is_retried = [&](const Occurrence& one,
                              const std::vector<Reply>& answers) {
    const Delivery delivery = Deliver({one}, answers);
    EXPECT_EQ(transport.requests.size(), answers.size());
    EXPECT_FALSE(Problem(delivery).empty());
    return delivery.done == 0 && delivery.refused == 0;
  };
  // Another writer comes between each time.
  EXPECT_TRUE(
      is_retried(fresh, {409, older, 409, older, 409, older, 409, older, 409}));
  EXPECT_TRUE(is_retried(known, {404, 409, 404, 409, 404, 409, 404}));
  EXPECT_TRUE(is_retried(fresh, {404}));
  EXPECT_TRUE(is_retried(known, {404, 404}));
  for (const int status : {401, 403, 408, 429, 500, 503, 504}) {
    EXPECT_TRUE(is_retried(fresh, {status})) << status;
    EXPECT_TRUE(is_retried(fresh, {409, status})) << status;
    EXPECT_TRUE(is_retried(known, {status})) << status;
    EXPECT_TRUE(is_retried(known, {404, status})) << status;
    EXPECT_TRUE(is_retried(fresh, {409, older, status})) << status;
  }
  EXPECT_EQ(Problem(Deliver({fresh}, {})),
            "POST /api/v1/namespaces/infra/events: the script is over");
}

TEST_F(MirrorSinkTest, StopsAtTheFirstFailureWithItsRetryAfter) {
  transport.answers = {{{201, {}, {}}}, {{429, seconds(7), {}}}};
  const std::vector<Occurrence> batch = {Named("a", 1, 1), Named("b", 1, 1),
                                         Named("c", 1, 1)};
  const Delivery delivery = sink.Deliver(batch, stop.get_token());
  EXPECT_EQ(delivery.done, 1U);
  EXPECT_EQ(RetryAfter(delivery), seconds(7));
  EXPECT_EQ(Problem(delivery), "POST /api/v1/namespaces/infra/events: 429");
  EXPECT_EQ(transport.requests.size(), 2U);
}

TEST_F(MirrorSinkTest, CountsARefusalAndGoesOn) {
  for (const int status : {400, 413, 415, 422}) {
    const Delivery delivery =
        Deliver({Named("a", 1, 1), Named("b", 1, 1), Named("c", 1, 1)},
                {201, status, 201});
    EXPECT_EQ(delivery.done, 3U);
    EXPECT_EQ(delivery.refused, 1U);
    EXPECT_EQ(delivery.refusal, "POST /api/v1/namespaces/infra/events: " +
                                    std::to_string(status));
  }
  const Delivery both =
      Deliver({Named("a", 1, 1), Named("b", 1, 1)}, {422, 503});
  EXPECT_EQ(both.done, 1U);
  EXPECT_EQ(both.refused, 1U);
  EXPECT_EQ(both.refusal, "POST /api/v1/namespaces/infra/events: 422");
  EXPECT_EQ(Problem(both), "POST /api/v1/namespaces/infra/events: 503");
}

TEST_F(MirrorSinkTest, OnlyTheLastOfAnEventIsWritten) {
  const std::vector<Occurrence> batch = {Named("a", 1, 1), Named("b", 1, 1),
                                         Named("a", 2, 1), Named("a", 5, 3)};
  EXPECT_EQ(Deliver(batch, {201, MirrorOf(Named("a", 1, 1)), 200}).done, 4U);
  EXPECT_THAT(Requests(), ElementsAre("POST ", "GET /a", "PATCH /a"));
  EXPECT_EQ(nlohmann::json::parse(transport.requests[2].body)["count"], 5);
  // Only what a later occurrence replaces is done.
  EXPECT_EQ(Deliver(batch, {503}).done, 1U);
  EXPECT_EQ(Deliver(batch, {201, 503}).done, 3U);
}

TEST_F(MirrorSinkTest, MirrorsNothingOfItsNamespace) {
  Occurrence own = Named("a", 1, 1);
  own.event_namespace = "infra";
  EXPECT_EQ(Deliver({own, Named("b", 1, 1), own}, {201}).done, 3U);
  EXPECT_THAT(Requests(), ElementsAre("POST "));
  EXPECT_EQ(Deliver({own}, {}).done, 1U);
  EXPECT_TRUE(transport.requests.empty());
}

// Requests the stop during the second request.
class StoppingTransport : public ScriptedTransport {
 public:
  HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                   std::stop_token token) override {
    if (requests.size() == 1) stop.request_stop();
    return ScriptedTransport::Send(request, handler, std::move(token));
  }
  std::stop_source stop;
};

TEST(MirrorSinkStopTest, AStopIsNoFailure) {
  StoppingTransport transport;
  transport.answers = {{{201, {}, {}}}, {{201, {}, {}}}, {{201, {}, {}}}};
  MirrorSink sink(std::make_unique<BorrowedTransport>(transport), "infra");
  const std::vector<Occurrence> batch = {Named("a", 1, 1), Named("b", 1, 1),
                                         Named("c", 1, 1)};
  const Delivery delivery = sink.Deliver(batch, transport.stop.get_token());
  EXPECT_EQ(delivery.done, 1U);
  EXPECT_EQ(Problem(delivery), "");
  EXPECT_EQ(transport.requests.size(), 2U);
}

}  // namespace
}  // namespace kem
