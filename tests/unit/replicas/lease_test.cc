// The object that replicas share: what is read, written and kept.
#include "replicas/lease.h"

#include <gmock/gmock.h>

#include "testing/fake_clock.h"
#include "unit/replicas/lease_server.h"

namespace kem {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using Result = LeaseClient::Result;

class LeaseTest : public ::testing::Test {
 protected:
  Result Read() { return client.Read(seconds(5), {}); }
  Result Write(const LeaseRecord& record) {
    return client.Write(record, seconds(5), {});
  }
  LeaseRecord Of(const std::string& holder) {
    const WallTime now = FakeClock().WallNow();
    return {holder, seconds(15), now, now, 3, {{"store", "{}"}}};
  }

  LeaseServer server;
  LeaseClient client{server, {"monitoring", "kem"}};
};

TEST_F(LeaseTest, IsCreatedAndReplaced) {
  EXPECT_EQ(Read(), Result::kNotFound);
  EXPECT_EQ(Write(Of("a")), Result::kDone);
  EXPECT_EQ(server.lease["spec"].dump(),
            R"({"acquireTime":"2026-11-23T12:00:00.000000Z",)"
            R"("holderIdentity":"a","leaseDurationSeconds":15,)"
            R"("leaseTransitions":3,)"
            R"("renewTime":"2026-11-23T12:00:00.000000Z"})");
  EXPECT_EQ(Write(Of("b")), Result::kDone);
  EXPECT_EQ(client.record(), Of("b"));
  const std::string all =
      "/apis/coordination.k8s.io/v1/namespaces/monitoring/leases";
  EXPECT_THAT(server.requests, ElementsAre("GET " + all + "/kem", "POST " + all,
                                           "PUT " + all + "/kem"));
}

TEST_F(LeaseTest, NothingNewerIsReplaced) {
  EXPECT_EQ(Write(Of("a")), Result::kDone);
  server.Touch();
  EXPECT_EQ(Write(Of("b")), Result::kConflict);
  EXPECT_EQ(server.holder(), "a");
  EXPECT_EQ(Read(), Result::kDone);
  EXPECT_EQ(Write(Of("b")), Result::kDone);
  LeaseClient other(server, {"monitoring", "kem"});
  EXPECT_EQ(other.Write(Of("c"), seconds(5), {}), Result::kConflict);
}

TEST_F(LeaseTest, FieldsOfOthersStay) {
  server.lease = {{"metadata",
                   {{"resourceVersion", "7"},
                    {"labels", {{"team", "x"}}},
                    {"annotations",
                     {{"kube-event-metrics/gone", "{}"}, {"note", "mine"}}}}},
                  {"spec", {{"strategy", "OldestEmulationVersion"}}}};
  EXPECT_EQ(Read(), Result::kDone);
  EXPECT_EQ(client.record().holder, "");
  EXPECT_THAT(client.record().marks, ElementsAre(Pair("gone", "{}")));
  EXPECT_EQ(Write(Of("a")), Result::kDone);
  EXPECT_EQ(server.lease["metadata"]["labels"]["team"], "x");
  EXPECT_EQ(server.lease["metadata"]["annotations"].dump(),
            R"({"kube-event-metrics/gone":"{}",)"
            R"("kube-event-metrics/store":"{}","note":"mine"})");
  EXPECT_EQ(server.lease["spec"]["strategy"], "OldestEmulationVersion");
}

TEST_F(LeaseTest, FailuresHaveAReason) {
  server.down = true;
  EXPECT_EQ(Read(), Result::kFailed);
  EXPECT_THAT(client.problem(), HasSubstr("/leases/kem: refused"));
  server.down = false;
  server.forced = 403;
  EXPECT_EQ(Read(), Result::kFailed);
  EXPECT_THAT(client.problem(), HasSubstr("403"));
}

TEST_F(LeaseTest, AnAnswerMayBeAnything) {
  for (const char* text : {" ", "7", "[]", "{}", R"({"metadata":[]})",
                           R"({"metadata":{"resourceVersion":7}})", "\xff"}) {
    server.lease = nullptr;
    server.forced = 200;
    server.answer = text;
    EXPECT_EQ(Read(), Result::kFailed) << text;
    EXPECT_THAT(client.problem(), HasSubstr("the answer is no Lease"));
  }
  server.answer =
      R"({"metadata":{"resourceVersion":"1","annotations":{"kube-event-)"
      R"(metrics/a":7}},"spec":{"holderIdentity":[],"renewTime":"never",)"
      R"("leaseDurationSeconds":"x","leaseTransitions":-1}})";
  EXPECT_EQ(Read(), Result::kDone);
  EXPECT_EQ(client.record().holder, "");
  EXPECT_EQ(client.record().renewed, WallTime());
  EXPECT_TRUE(client.record().marks.empty());
}

}  // namespace
}  // namespace kem
