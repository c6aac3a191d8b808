// What the list `forward` may say, and what it is told where it may not.
#include "config/forward_config.h"

#include <gmock/gmock.h>

#include <string_view>

#include "unit/net/certificates.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<std::optional<std::string>> Read(const std::string& path) {
  if (path == "/ca.crt") return std::optional(MakeCa().certificate);
  if (path == "etc/headers") return std::optional(std::string("X-Org infra"));
  return std::optional<std::string>();
}

Result<std::vector<OutletConfig>> Parse(std::string_view text) {
  Result<ConfigFile> file = ParseConfigFile(text, "etc/c.yaml");
  if (!file) return file.error();
  const Environment none = [](const std::string&) { return std::nullopt; };
  return MakeOutlets(file->forward, "etc/c.yaml", none, Read);
}

std::string Refused(std::string_view text) {
  const auto outlets = Parse(text);
  if (outlets) return "accepted";
  EXPECT_EQ(outlets.error().code, ErrorCode::kInvalidConfig);
  return outlets.error().message;
}

TEST(ForwardConfigTest, ReadsOneOfEachKind) {
  const auto outlets = Parse(
      "forward:\n"
      "- {name: audit, kind: log, path: events.json, queue-entries: 5}\n"
      "- name: loki\n  kind: otlp\n  endpoint: https://collector:4318\n"
      "  ca-file: /ca.crt\n"
      "- {name: infra, kind: namespace, namespace: infra}\n"
      "- {name: marks, kind: mark, label-ttl: 2h, filter: {kinds: [Node]}}\n");
  ASSERT_TRUE(outlets) << outlets.error().message;
  ASSERT_EQ(outlets->size(), 4U);
  const OutletConfig& log = (*outlets)[0];
  EXPECT_EQ(log.queue.name, "audit");
  EXPECT_EQ(log.path, "etc/events.json");
  EXPECT_EQ(log.queue.max_entries, 5U);
  EXPECT_EQ((*outlets)[1].endpoint, "https://collector:4318");
  EXPECT_EQ((*outlets)[1].ca_file, "/ca.crt");
  EXPECT_EQ((*outlets)[2].target_namespace, "infra");
  EXPECT_EQ((*outlets)[1].collector.access->server.port, 4318);
  EXPECT_EQ((*outlets)[1].collector.access->ca.file, "/ca.crt");
  EXPECT_EQ((*outlets)[3].label_ttl, std::chrono::hours(2));
  EXPECT_THAT((*outlets)[3].filter.types.include, ElementsAre("Warning"));
}

TEST(ForwardConfigTest, ClusterScopedOnlyUnlessTheFilterSaysMore) {
  const auto outlets = Parse(
      "forward:\n- {name: a, kind: log}\n"
      "- name: b\n  kind: log\n  path: b\n  filter: {scope: all, kinds: [Node, "
      "Pod], "
      "types-exclude: [Normal]}\n");
  ASSERT_TRUE(outlets) << outlets.error().message;
  EXPECT_TRUE((*outlets)[0].filter.cluster_scoped);
  EXPECT_FALSE((*outlets)[0].filter.namespaced);
  EXPECT_TRUE((*outlets)[1].filter.namespaced);
  EXPECT_THAT((*outlets)[1].filter.kinds.include, ElementsAre("Node", "Pod"));
  EXPECT_THAT((*outlets)[1].filter.types.exclude, ElementsAre("Normal"));
}

TEST(ForwardConfigTest, NamespacesNeedAScopeThatHasThem) {
  const auto refused = [](const std::string& filter) {
    return Refused("forward:\n- {name: a, kind: log, filter: {" + filter +
                   "}}");
  };
  EXPECT_EQ(refused("namespaces: [x]"),
            "etc/c.yaml line 2: the outlet of forward has a filter of "
            "namespaces that lets only cluster-scoped objects through, which "
            "have none; add scope: all or scope: namespaced");
  EXPECT_EQ(refused("namespaces: [x], scope: all"), "accepted");
  EXPECT_EQ(refused("namespaces: [x], scope: namespaced"), "accepted");
}

TEST(ForwardConfigTest, RefusesAnEndpointThatCannotBeUsed) {
  const auto refused = [](const std::string& more) {
    return Refused("forward:\n- {name: a, kind: otlp, endpoint: " + more + "}");
  };
  const std::string where = "etc/c.yaml line 2: forward's ";
  EXPECT_EQ(refused("\"collector:4318\""),
            where +
                "endpoint \"collector:4318\" must begin with https:// or "
                "http://");
  EXPECT_EQ(refused("\"http://c:4318/v1/logs\""),
            where +
                "endpoint \"http://c:4318/v1/logs\" must be without "
                "/v1/logs, which is added");
  EXPECT_EQ(refused("\"http://c\", ca-file: /ca.crt"),
            where +
                "endpoint \"http://c\" must be https:// for ca-file and "
                "cert-file to be used");
  EXPECT_EQ(refused("\"https://c\", ca-file: /none"),
            where + "ca-file /none does not exist");
  EXPECT_EQ(refused("\"https://c\", headers-file: headers"),
            where +
                "headers-file etc/headers line 1 is no header such as "
                "\"X-Scope-OrgID: team\"");
}

TEST(ForwardConfigTest, AMarkNamesKindsAndNothingThatIsNotMarked) {
  EXPECT_EQ(
      Refused("forward:\n- {name: a, kind: mark}"),
      "etc/c.yaml line 2: the outlet of forward needs a filter that names "
      "the kinds to be marked, such as {kinds: [Node, "
      "PersistentVolume]}");
  EXPECT_THAT(Refused("forward:\n- {name: a, kind: mark, filter: {kinds: "
                      "[Node.*]}}"),
              HasSubstr("names the kinds"));
  EXPECT_EQ(Refused("forward:\n- name: a\n  kind: mark\n  filter: {kinds: "
                    "[Node], types: [Normal]}"),
            "etc/c.yaml line 4: the outlet of forward is a mark, which is for "
            "Warnings of cluster-scoped objects: its filter cannot have types");
  EXPECT_EQ(Refused("forward:\n- {name: a, kind: mark, filter: {kinds: [A]}}\n"
                    "- {name: b, kind: mark, filter: {kinds: [B]}}"),
            "etc/c.yaml line 3: the outlet of forward has a label that another "
            "has: kube-event-metrics/trouble");
}

TEST(ForwardConfigTest, ALabelIsWhatTheApiServerTakes) {
  const auto refused = [](const std::string& label) {
    return Refused(
        "forward:\n- {name: a, kind: mark, filter: {kinds: [Node]}, "
        "label: " +
        label + "}");
  };
  const std::string longest(63, 'x');
  for (const std::string label :
       {"a.b/c", "a-b.example.com/Trouble_1.x", "a/b"}) {
    EXPECT_EQ(refused(label), "accepted");
  }
  EXPECT_EQ(refused("a/" + longest), "accepted");
  for (const std::string label :
       {"a/", "/a", "-a/b", "a-/b", "a..b/c", ".a/b", "A.com/b", "a/-b", "a/b-",
        "a/b/c", "a/b c", "trouble"}) {
    EXPECT_THAT(refused(label), HasSubstr("must be a label with a prefix"))
        << label;
  }
  EXPECT_THAT(refused("a/" + longest + "x"), HasSubstr("must be a label"));
  EXPECT_THAT(refused(std::string(254, 'a') + "/b"),
              HasSubstr("must be a label"));
}

TEST(ForwardConfigTest, RefusesWithLineAndMend) {
  EXPECT_EQ(Refused("forward: log"),
            "etc/c.yaml line 1: forward must be a list of outlets, each with a "
            "name and a kind");
  EXPECT_EQ(Refused("forward:\n- {name: a}"),
            "etc/c.yaml line 2: the outlet of forward has no kind");
  EXPECT_EQ(Refused("forward:\n- {kind: log}"),
            "etc/c.yaml line 2: the outlet of forward has no name");
  EXPECT_EQ(Refused("forward:\n- name: a\n  kind: kafka"),
            "etc/c.yaml line 3: forward's kind \"kafka\" must be log, otlp, "
            "namespace or mark");
  EXPECT_EQ(Refused("forward:\n- {name: a, kind: otlp}"),
            "etc/c.yaml line 2: the outlet of forward has no endpoint");
  EXPECT_EQ(Refused("forward:\n- name: a\n  kind: log\n  endpoint: http://x"),
            "etc/c.yaml line 4: forward's endpoint is no key of an outlet of "
            "kind log; it may have name, kind, queue-entries, queue-bytes, "
            "path, filter");
  EXPECT_EQ(Refused("forward:\n- {name: a, kind: log}\n- {name: a, kind: log}"),
            "etc/c.yaml line 3: the outlet of forward has a name that another "
            "has: a");
  EXPECT_EQ(Refused("forward:\n- {name: a, kind: log}\n- {name: b, kind: log}"),
            "etc/c.yaml line 3: the outlet of forward has a path that another "
            "has: -");
  EXPECT_EQ(
      Refused("forward:\n- name: a\n  kind: log\n  filter: {kinds: ['(']}"),
      "etc/c.yaml line 4: kinds \"(\" is no RE2 expression: missing ): (");
  EXPECT_EQ(Refused("forward:\n- name: a\n  kind: log\n  filter: {state: x}"),
            "etc/c.yaml line 4: forward's filter has no state; it may have "
            "scope, namespaces, and kinds, reasons, types and components, each "
            "also with -exclude");
  EXPECT_EQ(Refused("forward:\n- {name: a, kind: mark, label: trouble}"),
            "etc/c.yaml line 2: forward's label \"trouble\" must be a label "
            "with a prefix, such as example.com/trouble");
  EXPECT_EQ(Refused("forward:\n- {name: a, name: b, kind: log}"),
            "etc/c.yaml line 2: name stands here twice; keep one of them");
}

}  // namespace
}  // namespace kem
