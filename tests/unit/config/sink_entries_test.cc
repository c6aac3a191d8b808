// What the list `sinks` accepts, and the errors for the rest.
#include "config/sink_entries.h"

#include <gmock/gmock.h>

#include <string_view>

#include "unit/net/certificates.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Result<std::optional<std::string>> Read(const std::string& path) {
  if (path == "/ca.crt") return std::optional(MakeCa().certificate);
  if (path == "etc/headers") return std::optional(std::string("X-Org infra"));
  return std::optional<std::string>();
}

Result<std::vector<SinkConfig>> Parse(std::string_view text) {
  Result<ConfigFile> file = ParseConfigFile(text, "etc/c.yaml");
  if (!file) return file.error();
  const Environment none = [](const std::string&) { return std::nullopt; };
  return MakeSinkConfigs(file->sinks, "etc/c.yaml", none, Read);
}

std::string Refused(std::string_view text) {
  const auto sinks = Parse(text);
  if (sinks) return "accepted";
  EXPECT_EQ(sinks.error().code, ErrorCode::kInvalidConfig);
  return sinks.error().message;
}

TEST(SinkEntriesTest, ReadsAHistory) {
  const auto sinks = Parse(
      "sinks:\n- {name: a, type: history, path: h.db, keep: 3d12h, max-size: "
      "2GiB}\n");
  ASSERT_TRUE(sinks) << sinks.error().message;
  EXPECT_EQ((*sinks)[0].path, "etc/h.db");
  EXPECT_EQ((*sinks)[0].history.keep, std::chrono::hours(84));
  EXPECT_EQ((*sinks)[0].history.max_bytes, uint64_t{2} << 30);
  EXPECT_FALSE((*sinks)[0].filter.namespaced);
  const auto usual = Parse("sinks:\n- {name: a, type: history, path: /h.db}\n");
  ASSERT_TRUE(usual);
  EXPECT_EQ((*usual)[0].path, "/h.db");
  EXPECT_EQ((*usual)[0].history.keep, std::chrono::hours(14 * 24));
  EXPECT_EQ((*usual)[0].history.max_bytes, uint64_t{512} << 20);

  const auto refused = [](const std::string& keys) {
    return Refused("sinks:\n- {name: a, type: history" + keys + "}\n");
  };
  EXPECT_EQ(refused(""), "etc/c.yaml line 2: the sink has no path");
  EXPECT_EQ(refused(", path: \"-\""),
            "etc/c.yaml line 2: the sink's path must name a file, such as "
            "history.db");
  for (const char* keep : {"59m", "401d", "14", "d", "-1d"}) {
    EXPECT_EQ(refused(", path: h, keep: \"" + std::string(keep) + "\""),
              "etc/c.yaml line 2: the sink's keep \"" + std::string(keep) +
                  "\" must be a duration from 1h to 400d");
  }
  for (const char* size : {"31MiB", "2TiB", "512MB", "MiB", "-1GiB", "1.5GiB",
                           "99999999999999TiB"}) {
    EXPECT_EQ(refused(", path: h, max-size: \"" + std::string(size) + "\""),
              "etc/c.yaml line 2: the sink's max-size \"" + std::string(size) +
                  "\" must be a size from 32MiB to 1TiB, such as 512MiB");
  }
  EXPECT_EQ(refused(", path: h}\n- {name: b, type: history, path: i"),
            "etc/c.yaml line 3: the sink is the second one of type history; "
            "keep one");
  EXPECT_EQ(refused(", path: h}\n- {name: b, type: log, path: h"),
            "etc/c.yaml line 3: the sink has the path of another sink: etc/h");
  EXPECT_THAT(
      refused(", path: h, label: x"),
      HasSubstr("valid keys are name, type, queue-entries, queue-bytes, "
                "every, path, keep, max-size, filter"));
}

TEST(SinkEntriesTest, ReadsOneOfEachType) {
  const auto sinks = Parse(
      "sinks:\n"
      "- {name: audit, type: log, path: events.json, queue-entries: 5}\n"
      "- name: loki\n  type: otlp\n  endpoint: https://collector:4318\n"
      "  ca-file: /ca.crt\n"
      "- {name: infra, type: mirror, namespace: infra}\n"
      "- {name: notes, type: annotate, label-ttl: 2h, filter: {kinds: "
      "[Node]}}\n");
  ASSERT_TRUE(sinks) << sinks.error().message;
  ASSERT_EQ(sinks->size(), 4U);
  const SinkConfig& log = (*sinks)[0];
  EXPECT_EQ(log.queue.name, "audit");
  EXPECT_EQ(log.path, "etc/events.json");
  EXPECT_EQ(log.queue.max_entries, 5U);
  EXPECT_EQ((*sinks)[1].endpoint, "https://collector:4318");
  EXPECT_EQ((*sinks)[1].ca_file, "/ca.crt");
  EXPECT_EQ((*sinks)[2].target_namespace, "infra");
  EXPECT_EQ((*sinks)[1].collector.access->server.port, 4318);
  EXPECT_EQ((*sinks)[1].collector.access->ca.file, "/ca.crt");
  EXPECT_EQ((*sinks)[3].label_ttl, std::chrono::hours(2));
  EXPECT_THAT((*sinks)[3].filter.types.include, ElementsAre("Warning"));
}

TEST(SinkEntriesTest, ClusterScopedOnlyUnlessTheFilterSaysMore) {
  const auto sinks = Parse(
      "sinks:\n- {name: a, type: log}\n"
      "- name: b\n  type: log\n  path: b\n  filter: {scope: all, kinds: [Node, "
      "Pod], "
      "types-exclude: [Normal]}\n");
  ASSERT_TRUE(sinks) << sinks.error().message;
  EXPECT_TRUE((*sinks)[0].filter.cluster_scoped);
  EXPECT_FALSE((*sinks)[0].filter.namespaced);
  EXPECT_TRUE((*sinks)[1].filter.namespaced);
  EXPECT_THAT((*sinks)[1].filter.kinds.include, ElementsAre("Node", "Pod"));
  EXPECT_THAT((*sinks)[1].filter.types.exclude, ElementsAre("Normal"));
}

TEST(SinkEntriesTest, AFilterHasNamespacesObjectsAndMessages) {
  const auto sinks = Parse(
      "sinks:\n"
      "- name: a\n  type: log\n"
      "  filter: {scope: all, namespaces: ['team-.*', b], namespaces-exclude: "
      "[team-x], objects: ['n-[0-9]'], objects-exclude: [n-1], messages: "
      "[disk full, 'a, b'], messages-exclude: ['^test']}\n"
      "- {name: b, type: annotate, filter: {kinds: [Node], objects: [n], "
      "objects-exclude: [m], messages: [x], messages-exclude: [y]}}\n");
  ASSERT_TRUE(sinks) << sinks.error().message;
  const FilterOptions& log = (*sinks)[0].filter;
  EXPECT_THAT(log.namespaces.include, ElementsAre("team-.*", "b"));
  EXPECT_THAT(log.namespaces.exclude, ElementsAre("team-x"));
  EXPECT_THAT(log.objects.include, ElementsAre("n-[0-9]"));
  EXPECT_THAT(log.objects.exclude, ElementsAre("n-1"));
  EXPECT_THAT(log.messages.include, ElementsAre("disk full", "a, b"));
  EXPECT_THAT(log.messages.exclude, ElementsAre("^test"));
  const FilterOptions& notes = (*sinks)[1].filter;
  EXPECT_THAT(notes.objects.include, ElementsAre("n"));
  EXPECT_THAT(notes.messages.include, ElementsAre("x"));
  EXPECT_THAT(notes.messages.exclude, ElementsAre("y"));
}

TEST(SinkEntriesTest, NamespacesNeedAScopeThatHasThem) {
  const auto refused = [](const std::string& filter) {
    return Refused("sinks:\n- {name: a, type: log, filter: {" + filter + "}}");
  };
  EXPECT_EQ(refused("namespaces: [x]"),
            "etc/c.yaml line 2: the sink has namespaces in its filter but the "
            "scope cluster; add scope: namespaced or scope: all");
  EXPECT_EQ(refused("namespaces-exclude: [x]"),
            "etc/c.yaml line 2: the sink has namespaces-exclude in its filter "
            "but the scope cluster; add scope: namespaced or scope: all");
  EXPECT_EQ(refused("namespaces: [x], scope: all"), "accepted");
  EXPECT_EQ(refused("namespaces-exclude: [x], scope: all"), "accepted");
  EXPECT_EQ(refused("namespaces: [x], scope: namespaced"), "accepted");
}

TEST(SinkEntriesTest, RefusesAnEndpointThatCannotBeUsed) {
  const auto refused = [](const std::string& more) {
    return Refused("sinks:\n- {name: a, type: otlp, endpoint: " + more + "}");
  };
  const std::string where = "etc/c.yaml line 2: the sink's ";
  EXPECT_EQ(refused("\"collector:4318\""),
            where +
                "endpoint \"collector:4318\" must begin with https:// or "
                "http://");
  EXPECT_EQ(refused("\"http://c:4318/v1/logs\""),
            where +
                "endpoint \"http://c:4318/v1/logs\" must not end with "
                "/v1/logs, which the exporter adds");
  EXPECT_EQ(refused("\"http://c\", ca-file: /ca.crt"),
            where +
                "endpoint \"http://c\" must begin with https:// when ca-file "
                "or cert-file is set");
  for (const char* endpoint : {"https://c?tenant=a", "https://c/#a"}) {
    EXPECT_EQ(refused('"' + std::string(endpoint) + '"'),
              where + "endpoint \"" + endpoint +
                  "\" must not have a user name, query or fragment; use "
                  "headers-file for credentials");
  }
  EXPECT_EQ(refused("\"https://me:hush@c\""),
            where +
                "endpoint \"***@c\" must not have a user name, query or "
                "fragment; use headers-file for credentials");
  EXPECT_EQ(refused("\"https://c\", ca-file: /none"),
            where + "ca-file /none does not exist");
  EXPECT_EQ(refused("\"https://c\", headers-file: headers"),
            where +
                "headers-file etc/headers line 1 must be a header, such as "
                "\"X-Scope-OrgID: team\"");
}

TEST(SinkEntriesTest, AnAnnotateFilterNamesKindsOfClusterScopedObjects) {
  EXPECT_EQ(Refused("sinks:\n- {name: a, type: annotate}"),
            "etc/c.yaml line 2: the sink must have a filter that names the "
            "kinds to annotate, such as {kinds: [Node, PersistentVolume]}");
  EXPECT_THAT(Refused("sinks:\n- {name: a, type: annotate, filter: {kinds: "
                      "[Node.*]}}"),
              HasSubstr("names the kinds"));
  EXPECT_EQ(Refused("sinks:\n- name: a\n  type: annotate\n  filter: {kinds: "
                    "[Node], types: [Normal]}"),
            "etc/c.yaml line 4: the sink has the type annotate, which is for "
            "Warnings of cluster-scoped objects: remove types from its filter");
  EXPECT_EQ(Refused("sinks:\n- name: a\n  type: annotate\n  filter: {kinds: "
                    "[Node], namespaces-exclude: [x]}"),
            "etc/c.yaml line 4: the sink has the type annotate, which is for "
            "Warnings of cluster-scoped objects: remove namespaces-exclude "
            "from its filter");
  EXPECT_EQ(
      Refused("sinks:\n- {name: a, type: annotate, filter: {kinds: [A]}}\n"
              "- {name: b, type: annotate, filter: {kinds: [B]}}"),
      "etc/c.yaml line 3: the sink has the label of another sink: "
      "kube-event-metrics/trouble");
}

TEST(SinkEntriesTest, ALabelIsWhatTheApiServerTakes) {
  const auto refused = [](const std::string& label) {
    return Refused(
        "sinks:\n- {name: a, type: annotate, filter: {kinds: [Node]}, "
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
    EXPECT_THAT(refused(label), HasSubstr("must be a label key with a prefix"))
        << label;
  }
  EXPECT_THAT(refused("a/" + longest + "x"), HasSubstr("must be a label"));
  EXPECT_THAT(refused(std::string(254, 'a') + "/b"),
              HasSubstr("must be a label"));
}

TEST(SinkEntriesTest, JoinsWithinAWindow) {
  const auto entry = [](const std::string& every) {
    return "sinks:\n- {name: a, type: log, every: " + every + "}";
  };
  const auto sinks = Parse(entry("10m"));
  ASSERT_TRUE(sinks) << sinks.error().message;

  EXPECT_EQ((*sinks)[0].every, std::chrono::minutes(10));
  EXPECT_TRUE((*sinks)[0].queue.joins);
  for (const char* every : {"0s", "500ms", "25h", "x"}) {
    EXPECT_EQ(Refused(entry(every)),
              "etc/c.yaml line 2: the sink's every \"" + std::string(every) +
                  "\" must be a duration from 1s to 24h");
  }
}

TEST(SinkEntriesTest, RefusesWithLineAndFix) {
  EXPECT_EQ(Refused("sinks: log"),
            "etc/c.yaml line 1: sinks must be a list of maps with a name and "
            "a type");
  EXPECT_EQ(Refused("sinks:\n- {name: a}"),
            "etc/c.yaml line 2: the sink has no type");
  EXPECT_EQ(Refused("sinks:\n- {type: log}"),
            "etc/c.yaml line 2: the sink has no name");
  EXPECT_EQ(Refused("sinks:\n- name: a\n  type: kafka"),
            "etc/c.yaml line 3: the sink's type \"kafka\" must be log, otlp, "
            "mirror, annotate or history");
  EXPECT_EQ(Refused("sinks:\n- {name: a, type: otlp}"),
            "etc/c.yaml line 2: the sink has no endpoint");
  EXPECT_EQ(
      Refused("sinks:\n- name: a\n  type: log\n  endpoint: http://x"),
      "etc/c.yaml line 4: the sink's endpoint is not a key of type log; "
      "valid keys are name, type, queue-entries, queue-bytes, every, path, "
      "resource-attributes, labels, filter");
  EXPECT_EQ(Refused("sinks:\n- {name: a, type: log}\n- {name: a, type: log}"),
            "etc/c.yaml line 3: the sink has the name of another sink: a");
  EXPECT_EQ(Refused("sinks:\n- {name: a, type: log}\n- {name: b, type: log}"),
            "etc/c.yaml line 3: the sink has the path of another sink: -");
  EXPECT_EQ(Refused("sinks:\n- name: a\n  type: log\n  filter: {kinds: ['(']}"),
            "etc/c.yaml line 4: kinds \"(\" is not a valid RE2 expression: "
            "missing ): (");
  EXPECT_EQ(Refused("sinks:\n- name: a\n  type: log\n  filter: {state: x}"),
            "etc/c.yaml line 4: the sink's filter has the unknown key "
            "\"state\"; valid keys are scope, and namespaces, objects, kinds, "
            "reasons, types, components and messages, each also with -exclude");
  EXPECT_EQ(Refused("sinks:\n- name: a\n  type: log\n  filter:\n    messages: "
                    "['(']"),
            "etc/c.yaml line 5: messages \"(\" is not a valid RE2 expression: "
            "missing ): (");
  EXPECT_EQ(Refused("sinks:\n- name: a\n  type: log\n  filter: "
                    "{messages-exclude: [a, '']}"),
            "etc/c.yaml line 4: messages-exclude has an empty expression; "
            "remove it");
  EXPECT_EQ(Refused("sinks:\n- {name: a, type: log, filter: {messages: a}}"),
            "etc/c.yaml line 2: messages must be a list, such as [a, b]");
  EXPECT_EQ(Refused("sinks:\n- {name: a, type: annotate, label: trouble}"),
            "etc/c.yaml line 2: the sink's label \"trouble\" must be a label "
            "key with a prefix, such as example.com/trouble");
  EXPECT_EQ(Refused("sinks:\n- {name: a, name: b, type: log}"),
            "etc/c.yaml line 2: \"name\" is given twice; keep one of them");
}

TEST(SinkEntriesTest, ReadsHowOtlpIsEncoded) {
  const auto sinks = Parse(
      "sinks:\n- {name: a, type: otlp, endpoint: 'http://c'}\n"
      "- {name: b, type: otlp, endpoint: 'http://c', encoding: json, "
      "compression: none}\n");
  ASSERT_TRUE(sinks) << sinks.error().message;
  EXPECT_EQ((*sinks)[0].encoding, OtlpEncoding::kProtobuf);
  EXPECT_TRUE((*sinks)[0].gzip);
  EXPECT_EQ((*sinks)[1].encoding, OtlpEncoding::kJson);
  EXPECT_FALSE((*sinks)[1].gzip);
  const auto refused = [](const std::string& more) {
    return Refused("sinks:\n- {name: a, type: otlp, endpoint: 'http://c', " +
                   more + "}");
  };
  EXPECT_EQ(refused("encoding: xml"),
            "etc/c.yaml line 2: the sink's encoding \"xml\" must be protobuf "
            "or json");
  EXPECT_EQ(refused("compression: zstd"),
            "etc/c.yaml line 2: the sink's compression \"zstd\" must be gzip "
            "or none");
  EXPECT_EQ(refused("encoding: {json: yes}"),
            "etc/c.yaml line 2: the sink's encoding must be a single value");
}

TEST(SinkEntriesTest, ReadsConstantAttributes) {
  const auto sinks = Parse(
      "sinks:\n- name: a\n  type: log\n  labels: {team: infra, level: 3}\n"
      "  resource-attributes:\n    k8s.cluster.name: prod\n"
      "    deployment.environment.name: x\n");
  ASSERT_TRUE(sinks) << sinks.error().message;
  EXPECT_THAT((*sinks)[0].labels,
              ElementsAre(Pair("level", "3"), Pair("team", "infra")));
  EXPECT_THAT((*sinks)[0].resource_attributes,
              ElementsAre(Pair("deployment.environment.name", "x"),
                          Pair("k8s.cluster.name", "prod")));
}

TEST(SinkEntriesTest, RefusesConstantAttributesThatCannotBe) {
  const auto refused = [](const std::string& more) {
    return Refused("sinks:\n- name: a\n  type: log\n  " + more);
  };
  const std::string where = "etc/c.yaml line 4: the sink's labels";
  EXPECT_EQ(refused("labels: infra"),
            where + " must be a map, such as {team: infra}");
  EXPECT_EQ(refused("labels: [infra]"), where + " must be a single value");
  EXPECT_EQ(refused("labels: {team: [a]}"),
            where + ": \"team\" must be a single value");
  EXPECT_EQ(refused("labels: {team: }"),
            where + ": \"team\" must be a single value");
  EXPECT_EQ(refused("labels: {team: a, team: b}"),
            "etc/c.yaml line 4: \"team\" is given twice; keep one of them");
  for (const std::string name : {"te am", "1a", "\"\"", "tëam"}) {
    EXPECT_THAT(refused("labels: {" + name + ": x}"),
                HasSubstr(", which must be letters, digits"))
        << name;
  }
  EXPECT_EQ(refused("labels: {k8s.event.reason: x}"),
            where + " must not set k8s.event.reason, which the exporter sets");
  for (const std::string value : {"''", "\"a\\nb\""}) {
    EXPECT_EQ(refused("labels: {team: " + value + "}"),
              where +
                  " must give team a value of 1 to 256 bytes without control "
                  "characters");
  }
  EXPECT_THAT(refused("labels: {team: " + std::string(257, 'x') + "}"),
              HasSubstr("1 to 256 bytes"));
  std::string many = "labels: {";
  for (int i = 0; i < 33; ++i) many += 'n' + std::to_string(i) + ": x, ";
  EXPECT_EQ(refused(many + "}"), where + " must have at most 32 names");
  EXPECT_EQ(refused("labels: {a: x}\n  resource-attributes: {a: y}"),
            "etc/c.yaml line 2: the sink has a in both labels and "
            "resource-attributes; keep one");
  EXPECT_THAT(
      Refused("sinks:\n- {name: a, type: mirror, namespace: x, labels: {a: "
              "b}}"),
      HasSubstr("labels is not a key of type mirror; valid keys are name"));
}

}  // namespace
}  // namespace kem
