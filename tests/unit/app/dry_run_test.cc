// The questions of a dry run and its report.
#include "dry_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace kem {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// An API server that denies every question with one of these parts.
class ReviewServer : public HttpTransport {
 public:
  HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                   std::stop_token) override {
    if (unreachable) return {HttpEnd::kUnreachable, "connection refused"};
    questions.push_back(request.body);
    const bool post = !request.body.empty();
    handler.OnHead({post ? status : 200, {}, {}});
    if (request.path == "/api" || request.path == "/apis") {
      handler.OnBody(
          R"({"kind":"APIGroupDiscoveryList","items":[{"versions":[)"
          R"({"version":"v1","resources":[{"resource":"nodes",)"
          R"("scope":"Cluster","responseKind":{"kind":"Node"}}]}]}]})");
    } else if (request.path.ends_with("/selfsubjectreviews")) {
      handler.OnBody(R"({"status":{"userInfo":{"username":")" + user + "\"}}}");
    } else if (status == 201) {
      bool allowed = true;
      for (const std::string& part : denied) {
        allowed = allowed && request.body.find(part) == std::string::npos;
      }
      handler.OnBody(std::string(R"({"status":{"allowed":)") +
                     (allowed ? "true" : "false") + "}}");
    } else {
      handler.OnBody(R"({"kind":"Status","message":"no way"})");
    }
    return {HttpEnd::kComplete, ""};
  }

  std::string user = "system:serviceaccount:monitoring:kem";
  int status = 201;
  bool unreachable = false;
  std::set<std::string> denied;
  std::vector<std::string> questions;
};

class DryRunTest : public testing::Test {
 protected:
  DryRunReport Run() {
    ServerAccess access;
    access.origin = "in-cluster";
    access.server = *ParseServerUrl("https://10.0.0.1", true);
    return DryRun(options_, access, server_);
  }

  Options options_;
  ReviewServer server_;
};

// Every line is a comment.
bool NothingToApply(const std::string& text) {
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    if (text[at] != '#') return false;
  }
  return true;
}

TEST_F(DryRunTest, SaysThatAllIsWell) {
  const DryRunReport report = Run();
  EXPECT_EQ(report.code, 0);
  EXPECT_TRUE(NothingToApply(report.text)) << report.text;
  EXPECT_THAT(
      report.text,
      AllOf(HasSubstr("# API server: https://10.0.0.1:443 (in-cluster)"),
            HasSubstr("# user: system:serviceaccount:monitoring:kem\n"),
            HasSubstr("# ok       watch events in all namespaces\n"),
            HasSubstr("# ok       list events.events.k8s.io in all"),
            HasSubstr("# Nothing is missing.\n")));
  EXPECT_EQ(server_.questions.size(), 7U);
  EXPECT_THAT(server_.questions[1],
              HasSubstr(R"("spec":{"resourceAttributes":{"group":"",)"
                        R"("resource":"events","verb":"list"}})"));
}

TEST_F(DryRunTest, WritesTheClusterRoleThatIsMissing) {
  server_.denied = {R"("verb":"watch")"};
  const DryRunReport report = Run();
  EXPECT_EQ(report.code, 1);
  EXPECT_THAT(report.text, HasSubstr("# MISSING  watch events in all"));
  EXPECT_THAT(report.text,
              HasSubstr("# check:  kubectl auth can-i watch events "
                        "--all-namespaces "
                        "--as=system:serviceaccount:monitoring:kem\n"));
  EXPECT_THAT(
      report.text,
      testing::EndsWith(
          "---\napiVersion: rbac.authorization.k8s.io/v1\n"
          "kind: ClusterRole\nmetadata:\n  name: kube-event-metrics\n"
          "rules:\n- apiGroups: [\"\", \"events.k8s.io\"]\n"
          "  resources: [\"events\"]\n"
          "  verbs: [\"get\", \"list\", \"watch\"]\n"
          "---\napiVersion: rbac.authorization.k8s.io/v1\n"
          "kind: ClusterRoleBinding\nmetadata:\n  name: kube-event-metrics\n"
          "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n"
          "  kind: ClusterRole\n  name: kube-event-metrics\nsubjects:\n"
          "- kind: ServiceAccount\n  namespace: \"monitoring\"\n"
          "  name: \"kem\"\n"));
}

TEST_F(DryRunTest, WritesARoleForEachNamespaceThatLacksIt) {
  options_.namespaces = {"default", "kube-system"};
  server_.denied = {R"("namespace":"kube-system")"};
  server_.user = R"(jane \"j\")";
  const DryRunReport report = Run();
  EXPECT_EQ(report.code, 1);
  EXPECT_THAT(report.text,
              AllOf(HasSubstr("# ok       list events in default\n"),
                    HasSubstr("# MISSING  list events in kube-system\n"),
                    HasSubstr("kind: Role\nmetadata:\n"
                              "  name: kube-event-metrics\n"
                              "  namespace: \"kube-system\"\n"),
                    HasSubstr("kind: RoleBinding\n"),
                    HasSubstr("- kind: User\n"
                              "  apiGroup: rbac.authorization.k8s.io\n"
                              "  name: \"jane \\\"j\\\"\"\n"),
                    Not(HasSubstr("namespace: \"default\"")),
                    Not(HasSubstr("kind: Cluster"))));
}

TEST_F(DryRunTest, OneOfTheTwoApisIsEnough) {
  server_.denied = {R"("group":"")"};
  const DryRunReport report = Run();
  EXPECT_EQ(report.code, 0) << report.text;
  EXPECT_THAT(report.text, HasSubstr("# MISSING  list events in all"));
  EXPECT_TRUE(NothingToApply(report.text));
}

TEST_F(DryRunTest, AsksForDiscovery) {
  server_.denied = {"/api"};
  const DryRunReport report = Run();
  EXPECT_EQ(report.code, 1);
  EXPECT_THAT(report.text, HasSubstr("  name: system:discovery\n"));
}

TEST_F(DryRunTest, ChecksWhatMirrorsAndAnnotationsNeed) {
  SinkConfig mirror;
  mirror.type = SinkType::kMirror;
  mirror.target_namespace = "infra";
  SinkConfig annotate;
  annotate.type = SinkType::kAnnotate;
  annotate.filter.kinds.include = {"Node"};
  options_.sinks = {mirror, annotate};
  EXPECT_EQ(Run().code, 0);
  EXPECT_THAT(Run().text,
              AllOf(HasSubstr("# ok       create events in infra, to mirror"),
                    HasSubstr("# ok       patch nodes, to annotate them\n")));
  server_.denied = {R"("verb":"patch")"};
  const DryRunReport report = Run();
  EXPECT_EQ(report.code, 1);
  EXPECT_THAT(
      report.text,
      AllOf(HasSubstr("# MISSING  patch events in infra, to mirror there\n"),
            HasSubstr("kind: Role\nmetadata:\n"
                      "  name: kube-event-metrics-sinks\n"
                      "  namespace: \"infra\"\nrules:\n"
                      "- apiGroups: [\"\"]\n  resources: [\"events\"]\n"
                      "  verbs: [\"create\", \"patch\"]\n"),
            HasSubstr("kind: ClusterRole\nmetadata:\n"
                      "  name: kube-event-metrics-annotate\nrules:\n"
                      "- apiGroups: [\"\"]\n  resources: [\"nodes\"]\n"
                      "  verbs: [\"patch\"]\n"),
            HasSubstr("  name: kube-event-metrics-annotate\nsubjects:\n")));
}

TEST_F(DryRunTest, ChecksWhatALeaseNeeds) {
  options_.lease = {"monitoring", "kem"};
  EXPECT_EQ(Run().code, 0);
  EXPECT_THAT(Run().text, HasSubstr("# ok       update leases.coordination."
                                    "k8s.io in monitoring, for --replicas"));
  server_.denied = {R"("verb":"update")"};
  const DryRunReport report = Run();
  EXPECT_EQ(report.code, 1);
  EXPECT_THAT(
      report.text,
      HasSubstr("kind: Role\nmetadata:\n  name: kube-event-metrics-lease\n"
                "  namespace: \"monitoring\"\nrules:\n"
                "- apiGroups: [\"coordination.k8s.io\"]\n"
                "  resources: [\"leases\"]\n  resourceNames: [\"kem\"]\n"
                "  verbs: [\"get\", \"update\"]\n"
                "- apiGroups: [\"coordination.k8s.io\"]\n"
                "  resources: [\"leases\"]\n  verbs: [\"create\"]\n"));
}

TEST_F(DryRunTest, TellsOfAKindThatIsNotServed) {
  SinkConfig annotate;
  annotate.type = SinkType::kAnnotate;
  annotate.filter.kinds.include = {"NodePool"};
  options_.sinks = {annotate};
  EXPECT_EQ(Run().code, 1);
  EXPECT_THAT(Run().text,
              HasSubstr("# MISSING  a cluster-scoped kind NodePool, to be"));
}

TEST_F(DryRunTest, TellsWhenItCannotFindOut) {
  server_.status = 403;
  EXPECT_EQ(Run().code, 1);
  EXPECT_THAT(Run().text, HasSubstr("# FAILED   the API server refuses to "
                                    "review access (no way); bind"));
  server_.status = 401;
  EXPECT_THAT(Run().text, HasSubstr("refuses the credentials (401)"));
  server_.unreachable = true;
  EXPECT_EQ(Run().code, 1);
  EXPECT_THAT(Run().text,
              HasSubstr("# FAILED   no answer from the API server: connection "
                        "refused\n"));
  EXPECT_TRUE(NothingToApply(Run().text));
}

}  // namespace
}  // namespace kem
