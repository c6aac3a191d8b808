// What is written on an object, how often, and the removal of its label.
#include "sinks/annotate_sink.h"

#include <gmock/gmock.h>

#include "sinks/sink_worker.h"
#include "testing/fake_clock.h"
#include "unit/sinks/annotated_cluster.h"
#include "unit/sinks/deliveries.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kUid[] = "0c5c92d4-8a0f-4a43-9a6b-2f1c1a1f7e11";
constexpr char kQuery[] =
    "?fieldManager=kube-event-metrics-annotations&force=true";

class AnnotateSinkTest : public ::testing::Test {
 protected:
  AnnotateSinkTest() { Restart(); }

  void Restart() {
    sink.emplace(
        server.Transport(), discovery, clock, memory,
        AnnotateOptions{"annotations", "example.com/trouble", minutes(120)});
  }
  Occurrence Trouble(std::string_view name, std::string_view reason) {
    Occurrence one;
    one.api_version = "v1";
    one.kind = "Node";
    one.object_name = name;
    one.object_uid = kUid;
    one.reason = reason;
    one.type = "Warning";
    one.message = "it did";
    one.count = 3;
    one.occurred_at = clock.WallNow();
    one.resource_version = ++version;
    return one;
  }
  Delivery Deliver(const std::vector<Occurrence>& batch) {
    return sink->Deliver(batch, stop.get_token());
  }
  void Pass(milliseconds time) { clock.Advance(time); }
  std::string Label(size_t request) const {
    return server.Body(request)["metadata"]["labels"]["example.com/trouble"];
  }

  FakeClock clock;
  std::stop_source stop;
  ApiServer server;
  Discovery discovery{server, clock};
  MapMemory memory;
  std::optional<AnnotateSink> sink;
  uint64_t version = 100;
};

TEST_F(AnnotateSinkTest, AppliesLabelAndAnnotation) {
  EXPECT_EQ(Deliver({Trouble("a", "Rebooted")}).done, 1U);
  EXPECT_THAT(server.Paths(),
              ElementsAre(std::string("PATCH /api/v1/nodes/a") + kQuery));
  EXPECT_EQ(server.requests[0].content_type, "application/apply-patch+yaml");
  EXPECT_EQ(server.requests[0].body,
            R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"a",)"
            R"("uid":"0c5c92d4-8a0f-4a43-9a6b-2f1c1a1f7e11","annotations":)"
            R"({"example.com/trouble":"{\"reason\":\"Rebooted\",\"time\":)"
            R"(\"2026-11-23T12:00:00.000Z\",\"count\":3,\"message\":)"
            R"(\"it did\"}"},"labels":{"example.com/trouble":"Rebooted"}}})");
}

TEST_F(AnnotateSinkTest, OnlyWarningsOfClusterScopedObjects) {
  Occurrence normal = Trouble("a", "Starting");
  normal.type = "Normal";
  Occurrence pod = Trouble("b", "BackOff");
  pod.scope = Scope::kNamespaced;
  EXPECT_EQ(Deliver({normal, pod}).done, 2U);
  EXPECT_THAT(server.Paths(), IsEmpty());
  EXPECT_EQ(server.discoveries, 0);
}

TEST_F(AnnotateSinkTest, OnceAMinuteAnObjectAndTheNewestWins) {
  const Occurrence first = Trouble("a", "First");
  EXPECT_EQ(Deliver({first}).done, 1U);
  Pass(seconds(20));
  const Occurrence second = Trouble("a", "Second");
  const Occurrence other = Trouble("b", "Other");
  const Occurrence third = Trouble("a", "Third");  // within the same second
  const Delivery held = Deliver({second, other, third});
  EXPECT_EQ(held.done, 2U);  // third replaces second
  EXPECT_EQ(HoldOf(held), seconds(40));
  EXPECT_EQ(held.refusal, "");
  ASSERT_EQ(server.requests.size(), 2U);  // b did not wait for a
  EXPECT_EQ(Label(1), "Other");
  Pass(seconds(40));
  EXPECT_EQ(Deliver({third}).done, 1U);
  ASSERT_EQ(server.requests.size(), 3U);
  EXPECT_EQ(Label(2), "Third");
}

TEST_F(AnnotateSinkTest, AnEventOfTheFutureIsNotTheNewestForEver) {
  Occurrence future = Trouble("a", "Future");
  future.occurred_at += std::chrono::hours(24 * 365 * 70);
  EXPECT_EQ(Deliver({future}).done, 1U);
  Restart();
  Pass(minutes(2));
  EXPECT_EQ(Deliver({Trouble("a", "Now")}).done, 1U);
  ASSERT_EQ(server.requests.size(), 2U);
  EXPECT_EQ(Label(0), "Future");
  EXPECT_EQ(Label(1), "Now");
}

TEST_F(AnnotateSinkTest, AStormAboutOneObjectLeavesOneWaiting) {
  Deliver({Trouble("a", "First")});
  std::vector<Occurrence> storm(1000);
  for (Occurrence& one : storm) one = Trouble("a", "More");
  EXPECT_EQ(Deliver(storm).done, 999U);
  EXPECT_EQ(server.requests.size(), 1U);
}

TEST_F(AnnotateSinkTest, AnOlderOccurrenceIsDone) {
  const Occurrence old = Trouble("a", "Old");
  Pass(minutes(5));
  EXPECT_EQ(Deliver({Trouble("a", "New")}).done, 1U);
  Pass(minutes(5));
  EXPECT_EQ(Deliver({old}).done, 1U);
  EXPECT_EQ(server.requests.size(), 1U);
}

TEST_F(AnnotateSinkTest, DoneIsTheFrontThatNeedsNoFurtherAttempt) {
  Deliver({Trouble("b", "X")});
  const Delivery delivery =
      Deliver({Trouble("a", "X"), Trouble("b", "Y"), Trouble("c", "X")});
  EXPECT_EQ(delivery.done, 1U);
  EXPECT_EQ(HoldOf(delivery), seconds(60));
  EXPECT_EQ(server.requests.size(), 3U);
}

TEST_F(AnnotateSinkTest, RemovesTheLabelAfterItsTimeAndKeepsTheAnnotation) {
  Deliver({Trouble("a", "Rebooted")});
  Pass(minutes(119));
  sink->Idle(stop.get_token());
  EXPECT_EQ(server.requests.size(), 1U);
  EXPECT_EQ(memory.texts.size(), 1U);
  Pass(minutes(1));
  sink->Idle(stop.get_token());
  ASSERT_EQ(server.requests.size(), 2U);
  const auto metadata = server.Body(1)["metadata"];
  EXPECT_FALSE(metadata.contains("labels"));
  EXPECT_EQ(metadata["annotations"], server.Body(0)["metadata"]["annotations"]);
  EXPECT_THAT(memory.texts, IsEmpty());
  Pass(minutes(1));
  sink->Idle(stop.get_token());
  EXPECT_EQ(server.requests.size(), 2U);
}

TEST_F(AnnotateSinkTest, RemovesTheLabelAfterARestart) {
  Deliver({Trouble("a", "Rebooted")});
  memory.texts["/api/v1/nodes/broken"] = "nonsense";
  Restart();
  EXPECT_EQ(memory.texts.size(), 1U);
  Pass(minutes(120));
  sink->Idle(stop.get_token());
  ASSERT_EQ(server.requests.size(), 2U);
  EXPECT_FALSE(server.Body(1)["metadata"].contains("labels"));
}

TEST_F(AnnotateSinkTest, OnceAMinuteOverARestart) {
  Deliver({Trouble("a", "Before")});
  Pass(seconds(20));
  Restart();
  const std::vector<Occurrence> batch = {Trouble("a", "After")};
  EXPECT_EQ(HoldOf(Deliver(batch)), seconds(40));
  EXPECT_EQ(server.requests.size(), 1U);
  Pass(seconds(40));
  EXPECT_EQ(Deliver(batch).done, 1U);
  Pass(std::chrono::hours(1));
  Restart();
  EXPECT_EQ(Deliver({Trouble("a", "Later")}).done, 1U);
}

TEST_F(AnnotateSinkTest, RetriesAFailedRemoval) {
  Deliver({Trouble("a", "Rebooted")});
  Pass(minutes(120));
  server.answers = {{"PATCH", {500, ""}}};
  sink->Idle(stop.get_token());
  Pass(seconds(1));
  sink->Idle(stop.get_token());
  EXPECT_EQ(server.requests.size(), 2U);
  EXPECT_EQ(memory.texts.size(), 1U);
  server.answers.clear();
  Pass(seconds(30));
  sink->Idle(stop.get_token());
  EXPECT_EQ(server.requests.size(), 3U);
  EXPECT_THAT(memory.texts, IsEmpty());
}

TEST_F(AnnotateSinkTest, AStopDuringARemovalKeepsItForTheNextStart) {
  Deliver({Trouble("a", "Rebooted")});
  Pass(minutes(120));
  stop.request_stop();
  sink->Idle(stop.get_token());
  EXPECT_EQ(memory.texts.size(), 1U);
}

TEST_F(AnnotateSinkTest, WithoutRoomToRememberThereIsNoLabel) {
  memory.full = true;
  EXPECT_EQ(Deliver({Trouble("a", "Rebooted")}).done, 1U);
  EXPECT_FALSE(server.Body(0)["metadata"].contains("labels"));
  EXPECT_TRUE(server.Body(0)["metadata"].contains("annotations"));
}

TEST_F(AnnotateSinkTest, AFailureIsRetriedAndNotRemembered) {
  server.answers = {{"PATCH", {503, ""}}};
  const std::vector<Occurrence> batch = {Trouble("a", "X"), Trouble("b", "X")};
  const Delivery delivery = Deliver(batch);
  EXPECT_EQ(delivery.done, 0U);
  EXPECT_EQ(Problem(delivery), "PATCH /api/v1/nodes/a: 503");
  EXPECT_EQ(server.requests.size(), 1U);  // b would fail as well
  EXPECT_THAT(memory.texts, IsEmpty());
  server.answers.clear();
  EXPECT_EQ(Deliver(batch).done, 2U);
}

TEST_F(AnnotateSinkTest, NothingIsReplacedWhileAttemptsFail) {
  server.answers = {{"PATCH", {503, ""}}};
  EXPECT_EQ(Deliver({Trouble("a", "X"), Trouble("a", "Y")}).done, 0U);
}

TEST_F(AnnotateSinkTest, APolicyForOneObjectDelaysNoOther) {
  server.answers = {
      {"/nodes/a", {403, R"({"message":"\"w\" denied the request: mine"})"}}};
  Deliver({Trouble("c", "X")});
  const Delivery delivery =
      Deliver({Trouble("a", "X"), Trouble("b", "X"), Trouble("c", "Y")});
  EXPECT_EQ(delivery.done, 2U);
  EXPECT_EQ(delivery.refused, 1U);
  EXPECT_EQ(HoldOf(delivery), seconds(60));
  EXPECT_THAT(delivery.refusal, HasSubstr("403"));
}

TEST_F(AnnotateSinkTest, AMissingPermissionDelaysItsKindOnly) {
  server.answers = {{"/nodes/", {403, R"({"message":"cannot patch"})"}}};
  Occurrence volume = Trouble("v", "VolumeFailedDelete");
  volume.kind = "PersistentVolume";
  const Delivery delivery =
      Deliver({Trouble("a", "X"), volume, Trouble("b", "X")});
  EXPECT_EQ(delivery.done, 0U);
  EXPECT_THAT(Problem(delivery), HasSubstr("403"));
  EXPECT_THAT(
      server.Paths(),
      ElementsAre(std::string("PATCH /api/v1/nodes/a") + kQuery,
                  std::string("PATCH /api/v1/persistentvolumes/v") + kQuery));
}

TEST_F(AnnotateSinkTest, AMissingObjectIsDone) {
  using Answer = std::pair<int, std::string>;
  for (const Answer& gone :
       {Answer(404, ""),
        Answer(409, "uid mismatch: the provided object specified uid"),
        Answer(422, "metadata.uid: Invalid value: field is immutable"),
        Answer(403, R"(User \"x\" cannot create resource \"nodes\")")}) {
    server.answers = {{"PATCH", gone}};
    const Delivery delivery = Deliver({Trouble("a", "X")});
    EXPECT_EQ(delivery.done, 1U) << gone.first;
    EXPECT_EQ(delivery.refused, 0U) << gone.first;
    EXPECT_THAT(memory.texts, IsEmpty());
    Pass(minutes(1));
  }
  server.answers = {{"PATCH", {409, "please apply your changes again"}}};
  EXPECT_EQ(Deliver({Trouble("a", "X")}).done, 0U);
}

TEST_F(AnnotateSinkTest, ARefusalKeepsTheFormerAnnotation) {
  Deliver({Trouble("a", "Before")});
  Pass(minutes(2));
  server.answers = {{"PATCH", {422, "annotations: Too long"}}};
  const Delivery delivery = Deliver({Trouble("a", "X"), Trouble("a", "Y")});
  EXPECT_EQ(delivery.done, 2U);
  EXPECT_EQ(delivery.refused, 2U);
  EXPECT_THAT(delivery.refusal, HasSubstr("422"));
  server.answers.clear();
  Pass(minutes(118));
  sink->Idle(stop.get_token());
  EXPECT_THAT(std::string(server.Body(
                  2)["metadata"]["annotations"]["example.com/trouble"]),
              HasSubstr("Before"));
}

TEST_F(AnnotateSinkTest, GetsAUidThatTheEventDoesNotHave) {
  Occurrence kubelets = Trouble("a", "Rebooted");
  kubelets.object_uid = "a";
  server.answers = {
      {"GET", {200, std::string(R"({"metadata":{"uid":")") + kUid + "\"}}"}}};
  Deliver({kubelets});
  EXPECT_THAT(server.Paths(),
              ElementsAre("GET /api/v1/nodes/a",
                          std::string("PATCH /api/v1/nodes/a") + kQuery));
  EXPECT_THAT(server.requests[0].accept, HasSubstr("PartialObjectMetadata"));
  EXPECT_EQ(server.Body(1)["metadata"]["uid"], kUid);
}

TEST_F(AnnotateSinkTest, DoesNotAnnotateAMissingObject) {
  Occurrence kubelets = Trouble("a", "Rebooted");
  kubelets.object_uid = "a";
  server.answers = {{"GET", {404, ""}}};
  EXPECT_EQ(Deliver({kubelets}).done, 1U);
  EXPECT_EQ(server.requests.size(), 1U);
}

TEST_F(AnnotateSinkTest, GetsNothingAfterGetWasForbidden) {
  Occurrence kubelets = Trouble("a", "Rebooted");
  kubelets.object_uid = "a";
  server.answers = {{"GET", {403, ""}}};
  Deliver({kubelets});
  Pass(minutes(1));
  kubelets = Trouble("a", "Rebooted");
  kubelets.object_uid = "";
  Deliver({kubelets});
  EXPECT_THAT(server.Paths(),
              ElementsAre("GET /api/v1/nodes/a",
                          std::string("PATCH /api/v1/nodes/a") + kQuery,
                          std::string("PATCH /api/v1/nodes/a") + kQuery));
  EXPECT_FALSE(server.Body(1)["metadata"].contains("uid"));
}

TEST_F(AnnotateSinkTest, FindsTheResourceOfAKind) {
  Occurrence pool = Trouble("p", "X");
  pool.kind = "Pool";
  pool.api_version = "b.io/v1beta1";  // served as v1
  Occurrence node = Trouble("system:x", "X");
  node.api_version = "";
  EXPECT_EQ(Deliver({pool, node}).done, 2U);
  EXPECT_THAT(
      server.Paths(),
      ElementsAre(std::string("PATCH /api/v1/nodes/system%3Ax") + kQuery,
                  std::string("PATCH /apis/b.io/v1/pools/p") + kQuery));
  EXPECT_EQ(server.discoveries, 2);
}

TEST_F(AnnotateSinkTest, RefusesUnknownObjectsAndLimitsDiscovery) {
  Occurrence two = Trouble("p", "X");
  two.kind = "Pool";
  two.api_version = "";  // of a.io or of b.io?
  for (const char* name : {"..", "a/b", ""}) {
    const Delivery delivery = Deliver({two, Trouble(name, "X")});
    EXPECT_EQ(delivery.done, 2U);
    EXPECT_EQ(delivery.refused, 2U);
    EXPECT_EQ(delivery.refusal,
              "there is no cluster-scoped object Pool \"p\" to annotate");
  }
  EXPECT_EQ(server.discoveries, 2);
  Pass(minutes(5));
  Deliver({two});
  EXPECT_EQ(server.discoveries, 4);
  EXPECT_THAT(server.Paths(), IsEmpty());
}

TEST_F(AnnotateSinkTest, WithoutDiscoveryNothingIsDone) {
  server.discovery_works = false;
  const Delivery delivery = Deliver({Trouble("a", "X")});
  EXPECT_EQ(delivery.done, 0U);
  EXPECT_THAT(Problem(delivery), HasSubstr("discovery: "));
  server.discovery_works = true;
  EXPECT_EQ(Deliver({Trouble("a", "X")}).done, 1U);
}

TEST_F(AnnotateSinkTest, StopsBetweenTwoObjects) {
  stop.request_stop();
  Deliver({Trouble("a", "X")});
  EXPECT_THAT(server.Paths(), IsEmpty());
}

TEST_F(AnnotateSinkTest, FindsTheNewestOccurrenceInAFullQueue) {
  Ledger ledger{SeriesOptions(), Hasher()};
  ledger.SetSinks({{.name = "annotations"}});
  const std::string text(4000, 'm');
  Occurrence old = Trouble("a", "Old");
  old.message = text;
  for (int i = 1; i < 2000; ++i) ledger.Offer(1, MakeEntry(old, old.scope, 1));
  ledger.Offer(1, MakeEntry(Trouble("a", "Newest"), old.scope, 1));
  EXPECT_GT(ledger.outbox().size(0).bytes, size_t{7} << 20);  // of 8 MiB
  SinkSignal signal;
  SinkStats stats;
  SinkWorker worker(ledger, "annotations", seconds(0), *sink, stats,
                    {clock, [] { return 0.5; }, signal, [] {}});
  EXPECT_EQ(worker.DeliverBatch({}).next, SinkWorker::Next::kMore);
  EXPECT_EQ(ledger.outbox().size(0).entries, 0U);
  EXPECT_EQ(server.requests.size(), 1U);
  EXPECT_EQ(Label(0), "Newest");
}

}  // namespace
}  // namespace kem
