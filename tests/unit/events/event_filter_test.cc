#include "events/event_filter.h"

#include <gmock/gmock.h>

#include <iterator>
#include <set>

namespace kem {
namespace {

using ::testing::HasSubstr;

constexpr Scope kCluster = Scope::kCluster;
constexpr Scope kNamespaced = Scope::kNamespaced;

// A usual Event of a Pod, unless a field is given.
struct Seen {
  Scope scope = kNamespaced;
  std::string_view object_namespace = "shop";
  std::string_view kind = "Pod";
  std::string_view reason = "BackOff";
  std::string_view type = "Warning";
  std::string_view component = "kubelet";
};

bool Passes(const FilterOptions& options, const Seen& seen) {
  return EventFilter(options).Passes(seen.scope, seen.object_namespace,
                                     seen.kind, seen.reason, seen.type,
                                     seen.component);
}

std::string Selector(const FilterOptions& options) {
  return EventFilter(options).selection().ForCore();
}

TEST(EventFilterTest, LetsEverythingThroughByDefault) {
  EXPECT_TRUE(Passes({}, {}));
  EXPECT_TRUE(Passes({}, {.scope = kCluster, .object_namespace = ""}));
  EXPECT_TRUE(Passes({}, {.kind = "", .reason = "", .component = ""}));
  EXPECT_EQ(Selector({}), "");
}

TEST(EventFilterTest, LetsNoMirrorThrough) {
  const Seen mirror{.component = kMirrorComponent};
  EXPECT_FALSE(Passes({}, mirror));
  EXPECT_FALSE(Passes({.components = {{"kube-.*"}, {}}}, mirror));
  EXPECT_TRUE(Passes({}, {.component = "kube-event-metricz"}));
  EXPECT_TRUE(Passes({}, {.component = "kube-event-metrics2"}));
  EXPECT_EQ(Selector({}), "");
}

TEST(EventFilterTest, OtherOptionsHaveAnotherText) {
  const FilterOptions all[] = {{},
                               {.cluster_scoped = false},
                               {.namespaced = false},
                               {.namespaces = {"a"}},
                               {.namespaces = {"a", "b"}},
                               {.namespaces = {"a 1:b"}},
                               {.trusted_namespaces = {"a"}},
                               {.kinds = {{"a"}, {}}},
                               {.kinds = {{}, {"a"}}},
                               {.reasons = {{"a"}, {}}},
                               {.types = {{"a"}, {}}},
                               {.components = {{"a"}, {}}}};
  std::set<std::string> texts;
  for (const FilterOptions& options : all) {
    texts.insert(EventFilter(options).Text());
    EXPECT_EQ(EventFilter(options).Text(), EventFilter(options).Text());
  }
  EXPECT_EQ(texts.size(), std::size(all));
}

TEST(EventFilterTest, ByScope) {
  const FilterOptions cluster{.namespaced = false};
  EXPECT_TRUE(Passes(cluster, {.scope = kCluster, .object_namespace = ""}));
  EXPECT_FALSE(Passes(cluster, {}));
  const FilterOptions namespaced{.cluster_scoped = false};
  EXPECT_FALSE(Passes(namespaced, {.scope = kCluster, .object_namespace = ""}));
  EXPECT_TRUE(Passes(namespaced, {}));
}

TEST(EventFilterTest, NamespacesAreOfNamespacedObjectsOnly) {
  const FilterOptions options{.namespaces = {"a", "shop"}};
  EXPECT_TRUE(Passes(options, {}));
  EXPECT_FALSE(Passes(options, {.object_namespace = "b"}));
  EXPECT_FALSE(Passes(options, {.object_namespace = ""}));
  EXPECT_TRUE(Passes(options, {.scope = kCluster, .object_namespace = ""}));
}

TEST(EventFilterTest, TrustsDefaultAndKubeSystemAndWhatItIsGiven) {
  const EventFilter usual({});
  EXPECT_TRUE(usual.Trusts("default"));
  EXPECT_TRUE(usual.Trusts("kube-system"));
  for (const char* other : {"", "defaults", "a-default", "kube-system-2",
                            "Default", "default\n", "kube-public", "shop"}) {
    EXPECT_FALSE(usual.Trusts(other)) << other;
  }
  const EventFilter more({.trusted_namespaces = {"npd", "infra-.*|ops"}});
  for (const char* name : {"default", "kube-system", "npd", "infra-1", "ops"}) {
    EXPECT_TRUE(more.Trusts(name)) << name;
  }
  for (const char* other : {"", "npd2", "my-npd", "infra", "xops", "ops-x"}) {
    EXPECT_FALSE(more.Trusts(other)) << other;
  }
  // Trust neither excludes an Event nor changes what the API server sends.
  EXPECT_TRUE(Passes({.trusted_namespaces = {"npd"}}, {}));
  EXPECT_EQ(Selector({.trusted_namespaces = {"npd"}}), "");
}

TEST(EventFilterTest, ExpressionsMatchTheWholeValue) {
  const FilterOptions options{.kinds = {{"Pod", "Node.*"}, {"NodeClaim"}}};
  EXPECT_TRUE(Passes(options, {.kind = "Pod"}));
  EXPECT_FALSE(Passes(options, {.kind = "PodGroup"}));
  EXPECT_FALSE(Passes(options, {.kind = "MyPod"}));
  EXPECT_FALSE(Passes(options, {.kind = "pod"}));
  EXPECT_TRUE(Passes(options, {.kind = "NodePool"}));
  EXPECT_FALSE(Passes(options, {.kind = "NodeClaim"}));
}

TEST(EventFilterTest, AlternativesAndLineBreaksStayInsideTheirExpression) {
  const FilterOptions options{.reasons = {{}, {"A|B", "C.*"}}};
  EXPECT_FALSE(Passes(options, {.reason = "A"}));
  EXPECT_FALSE(Passes(options, {.reason = "B"}));
  EXPECT_FALSE(Passes(options, {.reason = "C\nD"}));
  EXPECT_TRUE(Passes(options, {.reason = "AB"}));
}

// Each is a valid expression, but a plain union of them is not, or means
// something else.
TEST(EventFilterTest, ExpressionsDoNotReachIntoEachOther) {
  const FilterOptions quoted{.reasons = {{"\\Qa", "\\Q.\\E", "c"}, {}}};
  EXPECT_EQ(ExpressionProblem(quoted.reasons.include), "");
  EXPECT_TRUE(Passes(quoted, {.reason = "a"}));
  EXPECT_TRUE(Passes(quoted, {.reason = "."}));
  EXPECT_TRUE(Passes(quoted, {.reason = "c"}));
  EXPECT_FALSE(Passes(quoted, {.reason = "a)|(?:c"}));
  EXPECT_FALSE(Passes(quoted, {.reason = "a)|(?:\\Q."}));
  EXPECT_FALSE(Passes(quoted, {.reason = "x"}));
  EXPECT_FALSE(Passes(quoted, {.reason = ""}));
  const FilterOptions ends{.reasons = {{"a", "\\Q(b|"}, {}}};
  EXPECT_EQ(ExpressionProblem(ends.reasons.include), "");
  EXPECT_TRUE(Passes(ends, {.reason = "(b|"}));
  EXPECT_TRUE(Passes(ends, {.reason = "a"}));
  EXPECT_FALSE(Passes(ends, {.reason = "b"}));
  // Two groups of the same name.
  const FilterOptions named{.reasons = {{"(?P<n>a+)", "(?P<n>b+)"}, {}}};
  EXPECT_EQ(ExpressionProblem(named.reasons.include), "");
  EXPECT_TRUE(Passes(named, {.reason = "aa"}));
  EXPECT_TRUE(Passes(named, {.reason = "bb"}));
  EXPECT_FALSE(Passes(named, {.reason = "ab"}));
  // Flags end with their expression.
  const FilterOptions flags{.reasons = {{"(?i)a", "b"}, {}}};
  EXPECT_TRUE(Passes(flags, {.reason = "A"}));
  EXPECT_FALSE(Passes(flags, {.reason = "B"}));
}

TEST(EventFilterTest, EachListLooksAtItsOwnValue) {
  EXPECT_FALSE(Passes({.reasons = {{"Pulled"}, {}}}, {}));
  EXPECT_FALSE(Passes({.types = {{"Normal"}, {}}}, {}));
  EXPECT_FALSE(Passes({.components = {{"scheduler"}, {}}}, {}));
  EXPECT_TRUE(Passes({.components = {{}, {"scheduler"}}}, {}));
  EXPECT_TRUE(Passes({.types = {{"other"}, {}}}, {.type = "other"}));
}

TEST(EventFilterTest, SelectsBySingleLiterals) {
  EXPECT_EQ(Selector({.kinds = {{"Node"}, {}}}), "involvedObject.kind=Node");
  EXPECT_EQ(Selector({.reasons = {{"A"}, {"B", "C"}}}),
            "reason=A,reason!=B,reason!=C");
  EXPECT_EQ(EventFilter({.kinds = {{}, {"Pod"}}}).selection().ForEvents(),
            "regarding.kind!=Pod");
}

TEST(EventFilterTest, SelectsByNothingThatIsNotExact) {
  EXPECT_EQ(Selector({.kinds = {{"Node", "Pod"}, {}}}), "");
  EXPECT_EQ(Selector({.kinds = {{"Node.*"}, {"No.e"}}}), "");
  EXPECT_EQ(Selector({.reasons = {{"a,b"}, {"a=b", "a b"}}}), "");
  EXPECT_EQ(Selector({.components = {{"kubelet"}, {"x"}}}), "");
  EXPECT_EQ(Selector({.namespaced = false, .namespaces = {"a"}}), "");
  EXPECT_EQ(Selector({.reasons = {{std::string(65, 'a')}, {}}}), "");
}

TEST(EventFilterTest, SelectsTypesByWhatTheExpressionsMeanOnTheLabel) {
  EXPECT_EQ(Selector({.types = {{"Warning"}, {}}}), "type=Warning");
  EXPECT_EQ(Selector({.types = {{"W.*"}, {}}}), "type=Warning");
  EXPECT_EQ(Selector({.types = {{}, {"Normal"}}}), "type!=Normal");
  EXPECT_EQ(Selector({.types = {{}, {"Normal", "other"}}}), "type=Warning");
  EXPECT_EQ(Selector({.types = {{"other"}, {}}}), "type!=Normal,type!=Warning");
  EXPECT_EQ(Selector({.types = {{"Warning", "Normal"}, {}}}), "");
}

TEST(EventFilterTest, SelectionMatchesWhatIsSent) {
  const EventFilter filter({.kinds = {{"Node"}, {}},
                            .reasons = {{}, {"A"}},
                            .types = {{}, {"W.*"}}});
  const Selection& selection = filter.selection();
  EXPECT_EQ(selection.ForCore(),
            "type!=Warning,involvedObject.kind=Node,reason!=A");
  EXPECT_TRUE(selection.Matches("Node", "B", "Normal"));
  EXPECT_FALSE(selection.Matches("Pod", "B", "Normal"));
  EXPECT_FALSE(selection.Matches("Node", "A", "Normal"));
  EXPECT_FALSE(selection.Matches("Node", "B", "Warning"));
}

TEST(EventFilterTest, LongListsOfExcludesAreSelectedInPart) {
  FilterOptions options;
  for (int i = 0; i < 100; ++i) {
    options.reasons.exclude.push_back("R" + std::to_string(i));
  }
  EXPECT_LT(Selector(options).size(), 2500U);
  EXPECT_FALSE(Passes(options, {.reason = "R99"}));
  EXPECT_TRUE(Passes(options, {.reason = "R100"}));
}

TEST(EventFilterTest, ProblemsAreOneSentence) {
  EXPECT_EQ(ExpressionProblem({}), "");
  EXPECT_EQ(ExpressionProblem({"A", ".*"}), "");
  EXPECT_EQ(ExpressionProblem({"A", ""}), "has an empty expression; remove it");
  EXPECT_THAT(ExpressionProblem({"No(de"}),
              HasSubstr("\"No(de\" is not a valid RE2 expression: missing )"));
  EXPECT_THAT(ExpressionProblem({"(?=x)"}),
              HasSubstr("not a valid RE2 expression"));
  // Each is valid alone, but they must not close each other's groups.
  EXPECT_THAT(ExpressionProblem({"a)", "(b"}), HasSubstr("\"a)\""));
  EXPECT_THAT(ExpressionProblem({"(x{1000}){1000}"}),
              HasSubstr("not a valid RE2 expression"));
}

}  // namespace
}  // namespace kem
