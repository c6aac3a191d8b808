#include "config/flags.h"

#include <gmock/gmock.h>

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// conf.yaml contains `config`; no other file exists.
std::variant<Options, Exit> Parse(std::vector<const char*> args,
                                  const std::string& config = "") {
  args.insert(args.begin(), "kube-event-metrics");
  const FileReader read = [&](const std::string& path) {
    return path == "conf.yaml" ? std::optional<std::string>(config)
                               : std::nullopt;
  };
  return ParseFlags(static_cast<int>(args.size()), args.data(), read);
}

Options Accepted(const std::vector<const char*>& args,
                 const std::string& config = "") {
  const auto parsed = Parse(args, config);
  const Options* options = std::get_if<Options>(&parsed);
  EXPECT_NE(options, nullptr);
  return options != nullptr ? *options : Options();
}

std::string Refused(const std::vector<const char*>& args,
                    const std::string& config = "") {
  const auto parsed = Parse(args, config);
  const Exit* exit = std::get_if<Exit>(&parsed);
  if (exit == nullptr) return "accepted";
  EXPECT_EQ(exit->code, 2);
  EXPECT_EQ(std::count(exit->text.begin(), exit->text.end(), '\n'), 1);
  return exit->text;
}

TEST(FlagsTest, DefaultsAreTheDocumentedOnes) {
  const Options options = Accepted({});
  EXPECT_EQ(options.watch_timeout, std::chrono::seconds(290));
  EXPECT_EQ(options.initial_zero, std::chrono::seconds(75));
  EXPECT_EQ(options.max_series, 50'000U);
  EXPECT_EQ(options.retention, std::chrono::hours(24));
  EXPECT_FALSE(options.created_timestamps);
  EXPECT_FALSE(options.exemplars);
  EXPECT_EQ(options.listen_address.host, "");
  EXPECT_EQ(options.listen_address.port, 9953);
  EXPECT_EQ(options.telemetry_path, "/metrics");
  EXPECT_THAT(options.namespaces, IsEmpty());
}

TEST(FlagsTest, ReadsEachFlag) {
  const Options options = Accepted(
      {"--kubeconfig=/k", "--context", "kind", "--apiserver=https://a:1",
       "--watch.namespaces=b,a,b", "--watch.timeout=1m30s",
       "--metrics.initial-zero=0", "--metrics.max-series=7",
       "--metrics.retention=0", "--metrics.created-timestamps",
       "--metrics.exemplars", "--web.listen-address=[::1]:0",
       "--web.telemetry-path=/probe/m.txt", "--web.config.file=web.yaml",
       "--log.level=debug", "--log.format=json"});
  EXPECT_EQ(options.kubeconfig, "/k");
  EXPECT_EQ(options.context, "kind");
  EXPECT_EQ(options.apiserver, "https://a:1");
  EXPECT_THAT(options.namespaces, ElementsAre("a", "b"));
  EXPECT_EQ(options.watch_timeout, std::chrono::seconds(90));
  EXPECT_EQ(options.initial_zero, std::chrono::seconds(0));
  EXPECT_EQ(options.max_series, 7U);
  EXPECT_EQ(options.retention, std::chrono::seconds(0));
  EXPECT_TRUE(options.created_timestamps);
  EXPECT_TRUE(options.exemplars);
  EXPECT_EQ(options.listen_address.host, "::1");
  EXPECT_EQ(options.listen_address.port, 0);
  EXPECT_EQ(options.telemetry_path, "/probe/m.txt");
  EXPECT_EQ(options.web_config_file, "web.yaml");
  EXPECT_EQ(options.log_level, LogLevel::kDebug);
  EXPECT_EQ(options.log_format, LogFormat::kJson);
}

TEST(FlagsTest, WrongOnesGetOneSentence) {
  EXPECT_THAT(Refused({"--nonsense"}), HasSubstr("--nonsense"));
  EXPECT_THAT(Refused({"stray"}), HasSubstr("stray"));
  EXPECT_THAT(Refused({"two\nlines\x1b[31m"}), HasSubstr("two lines [31m"));
  EXPECT_THAT(Refused({"--log.level=\u009B\u202Eloud\xff"}),
              HasSubstr("\"[U+009B][U+202E]loud\uFFFD\""));
  EXPECT_THAT(Refused({"--context"}), HasSubstr("--context"));
  EXPECT_THAT(Refused({"--watch.timeout=29s"}), HasSubstr("30s to 1h"));
  EXPECT_THAT(Refused({"--watch.timeout=2h"}), HasSubstr("30s to 1h"));
  EXPECT_THAT(Refused({"--metrics.initial-zero=75"}), HasSubstr("such as 75s"));
  EXPECT_THAT(Refused({"--metrics.initial-zero=-1s"}),
              HasSubstr("initial-zero"));
  EXPECT_THAT(Refused({"--metrics.max-series=0"}), HasSubstr("1 to 10000000"));
  EXPECT_THAT(Refused({"--metrics.max-series=-5"}), HasSubstr("1 to 10000000"));
  EXPECT_THAT(Refused({"--metrics.max-series=5k"}), HasSubstr("max-series"));
  EXPECT_THAT(Refused({"--metrics.retention=9s"}), HasSubstr("at least 10s"));
  EXPECT_THAT(Refused({"--metrics.retention=150s"}), HasSubstr("initial-zero"));
  EXPECT_THAT(Refused({"--metrics.retention=day"}), HasSubstr("such as 24h"));
  for (const char* flag :
       {"--web.listen-address=9953", "--web.listen-address=localhost",
        "--web.listen-address=localhost:", "--web.listen-address=a:b",
        "--web.listen-address=:70000", "--web.listen-address=::1:9953"}) {
    EXPECT_THAT(Refused({flag}), HasSubstr("host:port")) << flag;
  }
  EXPECT_THAT(Refused({"--log.level=loud"}), HasSubstr("\"loud\""));
  EXPECT_THAT(Refused({"--log.format=xml"}), HasSubstr("\"xml\""));
  EXPECT_THAT(Refused({"--watch.namespaces=Shop"}), HasSubstr("\"Shop\""));
  EXPECT_THAT(Refused({"--watch.namespaces=a/b"}), HasSubstr("\"a/b\""));
  EXPECT_THAT(Refused({"--web.telemetry-path=/"}), HasSubstr("other than /"));
  EXPECT_THAT(Refused({"--web.telemetry-path=/a b"}), HasSubstr("\"/a b\""));
  for (const std::string path :
       {"/livez", "/readyz", "/-/reload", "/-/x", "/api/v1/events",
        "/objects/x", "metrics", "//?"}) {
    EXPECT_EQ(Refused({("--web.telemetry-path=" + path).c_str()}),
              "kube-event-metrics: --web.telemetry-path \"" + path +
                  "\" must be a path of letters, digits and ./_- other than /, "
                  "/livez, /readyz and those that begin with /-/, /api/ or "
                  "/objects/\n");
  }
}

TEST(FlagsTest, UrlsOfLinksHaveNoSlashAtTheirEnd) {
  EXPECT_EQ(Accepted({}).external_url, "");
  EXPECT_EQ(Accepted({"--web.external-url="}).external_url, "");
  const Options options = Accepted({"--web.external-url=https://e:8443/events/",
                                    "--web.grafana-url=http://[::1]:3000//"});
  EXPECT_EQ(options.external_url, "https://e:8443/events");
  EXPECT_EQ(options.grafana_url, "http://[::1]:3000");
  for (const std::string url :
       {"events.example.com", "//a", "ftp://a", "https://", "https://:1",
        "https://a:b", "https://a?b=c", "https://a#b", "https://u@a",
        "https://a/<b>", "https://a/\"", "https://a/%2f", "https://a/{{.}}",
        "javascript://a", "https://a b"}) {
    EXPECT_THAT(Refused({("--web.external-url=" + url).c_str()}),
                HasSubstr("must be an http:// or https:// URL"))
        << url;
  }
  EXPECT_THAT(Refused({"--web.grafana-url=https://u:secret@a"}),
              Not(HasSubstr("secret")));
}

// None takes --log.level=debug, the argument after it, as its value.
TEST(FlagsTest, AnEmptyValueIsEmptyOrRefused) {
  for (const OptionRow& row : OptionTable()) {
    if (row.name == std::string_view("log.level")) continue;
    const std::string flag = std::string("--") + row.name;
    std::vector<std::vector<std::string>> all = {{flag + "="}};
    if (row.kind != OptionKind::kSwitch) all.push_back({flag, ""});
    for (const std::vector<std::string>& given : all) {
      std::vector<const char*> args;
      args.reserve(given.size() + 1);
      for (const std::string& one : given) args.push_back(one.c_str());
      args.push_back("--log.level=debug");
      const auto parsed = Parse(args);
      const Options* options = std::get_if<Options>(&parsed);
      if (options == nullptr) {
        const Exit& exit = std::get<Exit>(parsed);
        EXPECT_EQ(exit.code, 2);
        EXPECT_THAT(exit.problem, ::testing::StartsWith(flag));
        continue;
      }
      EXPECT_EQ(options->log_level, LogLevel::kDebug) << flag;
      const auto at = static_cast<size_t>(&row - OptionTable().data());
      EXPECT_EQ(options->given[at], row.kind == OptionKind::kList
                                        ? OptionValues()
                                        : OptionValues{""})
          << flag;
    }
  }
}

TEST(FlagsTest, AnEmptyValueOverridesTheFile) {
  const Options options = Accepted(
      {"--config.file=conf.yaml", "--kinds=", "--context=", "--reasons=,",
       "--types", ",", "--namespaces=,a,"},
      "context: kind\nkinds: [Node]\nreasons: [A]\ntypes: [Warning]\n");
  EXPECT_EQ(options.context, "");
  EXPECT_EQ(options.filter.kinds, FilterList());
  EXPECT_EQ(options.filter.reasons, FilterList());
  EXPECT_EQ(options.filter.types, FilterList());
  EXPECT_THAT(options.filter.namespaces.include, ElementsAre("a"));
}

TEST(FlagsTest, AnEmptyValueAtTheEndIsEmptyToo) {
  EXPECT_EQ(Accepted({"--state.file="}).state_file, "");
  EXPECT_EQ(Refused({"--once="}),
            "kube-event-metrics: --once= needs true or false after the equals "
            "sign\n");
  EXPECT_THAT(Refused({"--state.interval="}),
              HasSubstr("--state.interval \"\" must be a duration"));
  // A value that looks like an option is a value.
  EXPECT_EQ(Accepted({"--context", "--state.file="}).context, "--state.file=");
}

TEST(FlagsTest, ReadsTheLease) {
  EXPECT_EQ(Accepted({}).lease, std::nullopt);
  EXPECT_EQ(Accepted({"--replicas.lease="}).lease, std::nullopt);
  EXPECT_EQ(Accepted({"--replicas.lease=monitoring/kem"}).lease,
            (LeaseName{"monitoring", "kem"}));
  for (const char* wrong : {"kem", "/kem", "monitoring/", "a/b/c", "A/b"}) {
    EXPECT_EQ(Refused({"--replicas.lease", wrong}),
              "kube-event-metrics: --replicas.lease \"" + std::string(wrong) +
                  "\" must be NAMESPACE/NAME, both of at most 63 lowercase "
                  "letters, digits and hyphens\n");
  }
}

TEST(FlagsTest, ReadsFilters) {
  const FilterOptions filter =
      Accepted({"--scope=cluster", "--namespaces=b,team-.*",
                "--namespaces-exclude=x,b", "--objects=n-[0-9]",
                "--objects-exclude=n-1", "--kinds=Node,Pod.*",
                "--kinds-exclude=PodGroup", "--reasons=A",
                "--reasons-exclude=B", "--types=Warning",
                "--types-exclude=other", "--components=k.*",
                "--components-exclude=kcm"})
          .filter;
  EXPECT_TRUE(filter.cluster_scoped);
  EXPECT_FALSE(filter.namespaced);
  EXPECT_THAT(filter.namespaces.include, ElementsAre("b", "team-.*"));
  EXPECT_THAT(filter.namespaces.exclude, ElementsAre("x", "b"));
  EXPECT_THAT(filter.objects.include, ElementsAre("n-[0-9]"));
  EXPECT_THAT(filter.objects.exclude, ElementsAre("n-1"));
  EXPECT_THAT(filter.kinds.include, ElementsAre("Node", "Pod.*"));
  EXPECT_THAT(filter.kinds.exclude, ElementsAre("PodGroup"));
  EXPECT_THAT(filter.reasons.include, ElementsAre("A"));
  EXPECT_THAT(filter.reasons.exclude, ElementsAre("B"));
  EXPECT_THAT(filter.types.include, ElementsAre("Warning"));
  EXPECT_THAT(filter.types.exclude, ElementsAre("other"));
  EXPECT_THAT(filter.components.include, ElementsAre("k.*"));
  EXPECT_THAT(filter.components.exclude, ElementsAre("kcm"));
  EXPECT_EQ(Accepted({"--scope=all"}).filter, FilterOptions());
  EXPECT_FALSE(Accepted({"--scope=namespaced"}).filter.cluster_scoped);
  // A comma separates values on the command line, not in the file.
  EXPECT_THAT(Accepted({"--config.file=conf.yaml"}, "kinds: ['A{1,2}']")
                  .filter.kinds.include,
              ElementsAre("A{1,2}"));
}

TEST(FlagsTest, ReadsTrustedNamespaces) {
  EXPECT_THAT(Accepted({}).filter.trusted_namespaces, IsEmpty());
  EXPECT_THAT(Accepted({"--scope.trusted-namespaces=npd,infra-.*"})
                  .filter.trusted_namespaces,
              ElementsAre("npd", "infra-.*"));
  EXPECT_THAT(Accepted({"--config.file=conf.yaml", "--scope=cluster"},
                       "scope.trusted-namespaces: ['a{1,2}', b]")
                  .filter.trusted_namespaces,
              ElementsAre("a{1,2}", "b"));
  EXPECT_THAT(
      Accepted({"--config.file=conf.yaml", "--scope.trusted-namespaces=c"},
               "scope.trusted-namespaces: [a, b]")
          .filter.trusted_namespaces,
      ElementsAre("c"));
}

TEST(FlagsTest, WrongFiltersGetOneSentence) {
  EXPECT_EQ(Refused({"--scope.trusted-namespaces=a,(b"}),
            "kube-event-metrics: --scope.trusted-namespaces \"(b\" is not a "
            "valid RE2 expression: missing ): (b\n");
  EXPECT_THAT(Refused({"--config.file=conf.yaml", "--state.file=/a/../s"},
                      "sinks: [{name: h, type: history, path: /s}]"),
              HasSubstr("the sink h has the path of --state.file: /s"));
  EXPECT_THAT(Refused({"--config.file=conf.yaml"},
                      "scope: all\nscope.trusted-namespaces: ['*']"),
              HasSubstr("conf.yaml line 2: scope.trusted-namespaces \"*\" is "
                        "not a valid RE2 expression"));
  EXPECT_THAT(Refused({"--scope=some"}),
              HasSubstr("--scope \"some\" must be all, cluster or namespaced"));
  EXPECT_EQ(Refused({"--namespaces=team-*,*"}),
            "kube-event-metrics: --namespaces \"*\" is not a valid RE2 "
            "expression: no argument for repetition operator: *\n");
  EXPECT_EQ(Refused({"--config.file=conf.yaml"}, "namespaces-exclude: ['']"),
            "kube-event-metrics: conf.yaml line 1: namespaces-exclude has an "
            "empty expression; remove it\n");
  EXPECT_EQ(Refused({"--objects-exclude=a["}),
            "kube-event-metrics: --objects-exclude \"a[\" is not a valid RE2 "
            "expression: missing ]: [\n");
  // Not an expression: it names watches.
  EXPECT_THAT(Refused({"--watch.namespaces=team-.*"}),
              HasSubstr("--watch.namespaces \"team-.*\" is not a namespace "
                        "name"));
  EXPECT_THAT(
      Refused({"--kinds=No(de"}),
      HasSubstr("--kinds \"No(de\" is not a valid RE2 expression: missing )"));
  EXPECT_THAT(Refused({"--config.file=conf.yaml"}, "reasons: ['']"),
              HasSubstr("line 1: reasons has an empty expression"));
  EXPECT_THAT(
      Refused({"--config.file=conf.yaml"}, "kinds: [A]\ntypes: ['*']"),
      HasSubstr("conf.yaml line 2: types \"*\" is not a valid RE2 expression"));
}

TEST(FlagsTest, MessagesAreForTheFiltersOfSinks) {
  const std::string why =
      " can only be set in the filter of a sink, because messages are not "
      "labels\n";
  for (const std::string name : {"messages", "messages-exclude"}) {
    for (const std::string& flag : {"--" + name, "--" + name + "=a"}) {
      EXPECT_EQ(Refused({flag.c_str()}), "kube-event-metrics: --" + name + why);
    }
    EXPECT_EQ(
        Refused({"--config.file=conf.yaml"}, "once: x\n" + name + ": [a]"),
        "kube-event-metrics: conf.yaml line 2: " + name + why);
  }
  EXPECT_EQ(Accepted({"--context", "--messages"}).context, "--messages");
  EXPECT_THAT(Refused({"--message=a"}), HasSubstr("not expected: --message=a"));
}

TEST(FlagsTest, FlagsOverrideTheFile) {
  const Options options = Accepted(
      {"--config.file=conf.yaml", "--watch.namespaces=b", "--log.level=warn"},
      "context: kind\n"
      "watch: {namespaces: [x, y], timeout: 2m}\n"
      "metrics:\n  initial-zero: 0\n"
      "log: {level: debug, format: json}\n");
  EXPECT_EQ(options.context, "kind");
  EXPECT_THAT(options.namespaces, ElementsAre("b"));
  EXPECT_EQ(options.watch_timeout, std::chrono::minutes(2));
  EXPECT_EQ(options.initial_zero, std::chrono::seconds(0));
  EXPECT_EQ(options.log_level, LogLevel::kWarn);
  EXPECT_EQ(options.log_format, LogFormat::kJson);
  EXPECT_EQ(options.telemetry_path, "/metrics");
}

TEST(FlagsTest, ReportsFileAndLine) {
  EXPECT_EQ(
      Refused({"--config.file=conf.yaml"}, "log:\n  level: loud\n"),
      "kube-event-metrics: conf.yaml line 2: log.level \"loud\" must be debug, "
      "info, warn or error\n");
  EXPECT_EQ(
      Refused({"--config.file=conf.yaml"}, "lag: {}\n")
          .rfind("kube-event-metrics: conf.yaml line 1: there is no option lag",
                 0),
      0U);
  EXPECT_THAT(Refused({"--config.file=gone.yaml"}),
              HasSubstr("--config.file: the file gone.yaml does not exist"));
}

TEST(FlagsTest, AWrongValueInTheFileIsRefusedEvenIfAFlagOverridesIt) {
  EXPECT_THAT(Refused({"--config.file=conf.yaml", "--log.level=warn"},
                      "log: {level: loud}"),
              HasSubstr("conf.yaml line 1"));
}

TEST(FlagsTest, KeepsTheValuesOfEachOption) {
  const Options options =
      Accepted({"--config.file=conf.yaml"}, "watch: {namespaces: [x]}");
  const auto rows = OptionTable();
  ASSERT_EQ(options.given.size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].name == std::string_view("watch.namespaces")) {
      EXPECT_THAT(options.given[i], ElementsAre("x"));
    }
  }
}

TEST(FlagsTest, HelpIsGroupedAndCompleteAndEndsWithZero) {
  const auto parsed = Parse({"--help"});
  const Exit& exit = std::get<Exit>(parsed);
  EXPECT_EQ(exit.code, 0);
  for (const char* word : {"Access to the API server",
                           "Watch",
                           "Metrics",
                           "Web server",
                           "Logging",
                           "--kubeconfig",
                           "--context",
                           "--apiserver",
                           "--watch.namespaces",
                           "--watch.timeout",
                           "290s",
                           "--metrics.initial-zero",
                           "75s",
                           "--metrics.max-series",
                           "50000",
                           "--metrics.retention",
                           "24h",
                           "--web.listen-address",
                           ":9953",
                           "--web.telemetry-path",
                           "--log.level",
                           "--log.format",
                           "--config.file",
                           "--version"}) {
    EXPECT_THAT(exit.text, HasSubstr(word));
  }
}

TEST(FlagsTest, VersionHasVersionAndRevision) {
  const auto parsed = Parse({"--version"});
  EXPECT_THAT(std::get<Exit>(parsed).text,
              ::testing::MatchesRegex(
                  "kube-event-metrics [0-9.]+ \\(revision .*\\)\n"));
}

}  // namespace
}  // namespace kem
