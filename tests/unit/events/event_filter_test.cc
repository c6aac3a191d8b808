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
  std::string_view object_name = "cart-0";
  std::string_view kind = "Pod";
  std::string_view reason = "BackOff";
  std::string_view type = "Warning";
  std::string_view component = "kubelet";
  std::string_view message = "Back-off restarting failed container";
};

FilterInput InputOf(const Seen& seen) {
  return {seen.scope,     seen.object_namespace, seen.object_name,
          seen.kind,      seen.reason,           seen.type,
          seen.component, seen.message};
}

bool Passes(const FilterOptions& options, const Seen& seen) {
  return EventFilter(options).Passes(InputOf(seen));
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
                               {.namespaces = {{"a"}, {}}},
                               {.namespaces = {{"a", "b"}, {}}},
                               {.namespaces = {{"a 1:b"}, {}}},
                               {.namespaces = {{}, {"a"}}},
                               {.objects = {{"a"}, {}}},
                               {.objects = {{}, {"a"}}},
                               {.messages = {{"a"}, {}}},
                               {.messages = {{}, {"a"}}},
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
  const Seen node{.scope = kCluster, .object_namespace = ""};
  const FilterOptions options{.namespaces = {{"a", "shop"}, {}}};
  EXPECT_TRUE(Passes(options, {}));
  EXPECT_FALSE(Passes(options, {.object_namespace = "b"}));
  EXPECT_FALSE(Passes(options, {.object_namespace = "shop2"}));
  EXPECT_FALSE(Passes(options, {.object_namespace = ""}));
  EXPECT_TRUE(Passes(options, node));
  const FilterOptions expressions{
      .namespaces = {{"team-.*", "shop"}, {"team-test|.*-tmp"}}};
  EXPECT_TRUE(Passes(expressions, {}));
  EXPECT_TRUE(Passes(expressions, {.object_namespace = "team-a"}));
  EXPECT_FALSE(Passes(expressions, {.object_namespace = "my-team-a"}));
  EXPECT_FALSE(Passes(expressions, {.object_namespace = "team-test"}));
  EXPECT_FALSE(Passes(expressions, {.object_namespace = "team-a-tmp"}));
  EXPECT_TRUE(Passes(expressions, node));
  EXPECT_FALSE(Passes({.namespaces = {{}, {"shop"}}}, {}));
  EXPECT_TRUE(Passes({.namespaces = {{}, {"sho"}}}, {}));
  EXPECT_TRUE(Passes({.namespaces = {{}, {".*"}}}, node));
}

TEST(EventFilterTest, ObjectsAreNamesInBothScopes) {
  const FilterOptions literal{.objects = {{"cart-0"}, {}}};
  EXPECT_TRUE(Passes(literal, {}));
  EXPECT_FALSE(Passes(literal, {.object_name = "cart-00"}));
  EXPECT_FALSE(Passes(literal, {.object_name = ""}));
  const Seen node{.scope = kCluster,
                  .object_namespace = "",
                  .object_name = "ip-10-0-0-1.example.com"};
  EXPECT_FALSE(Passes(literal, node));
  const FilterOptions expressions{.objects = {{"ip-.*", "cart-[0-9]"}, {}}};
  EXPECT_TRUE(Passes(expressions, node));
  EXPECT_TRUE(Passes(expressions, {}));
  EXPECT_FALSE(Passes(expressions, {.object_name = "cart-10"}));
  const FilterOptions both{.objects = {{"cart-.*"}, {"cart-0"}}};
  EXPECT_FALSE(Passes(both, {}));
  EXPECT_TRUE(Passes(both, {.object_name = "cart-1"}));
  EXPECT_FALSE(Passes({.objects = {{}, {".*\\.example\\.com"}}}, node));
}

// The dot of a name: any character, unless it is escaped.
TEST(EventFilterTest, AnEscapedDotIsOneOfALiteral) {
  const FilterOptions escaped{.objects = {{"a\\.b"}, {}}};
  EXPECT_TRUE(Passes(escaped, {.object_name = "a.b"}));
  EXPECT_FALSE(Passes(escaped, {.object_name = "axb"}));
  EXPECT_FALSE(Passes(escaped, {.object_name = "a\\.b"}));
  const FilterOptions plain{.objects = {{"a.b"}, {}}};
  EXPECT_TRUE(Passes(plain, {.object_name = "a.b"}));
  EXPECT_TRUE(Passes(plain, {.object_name = "axb"}));
}

TEST(EventFilterTest, ASeriesOfAllObjectsPassesWhateverTheNames) {
  FilterInput input = InputOf({.scope = kCluster, .object_namespace = ""});
  input.object_name.reset();
  EXPECT_TRUE(EventFilter({.objects = {{"a"}, {}}}).Passes(input));
  EXPECT_TRUE(EventFilter({.objects = {{}, {".*"}}}).Passes(input));
  EXPECT_FALSE(EventFilter({.objects = {{"a"}, {}}, .kinds = {{"Node"}, {}}})
                   .Passes(input));
}

TEST(EventFilterTest, MessagesMatchInPart) {
  for (const char* expression :
       {"failed", "Back", "container", "Back-off restarting", "^Back",
        "container$", "failed|nothing", "rest.*ed", "(?i)FAILED"}) {
    EXPECT_TRUE(Passes({.messages = {{expression}, {}}}, {})) << expression;
    EXPECT_FALSE(Passes({.messages = {{}, {expression}}}, {})) << expression;
  }
  for (const char* expression :
       {"Failed", "^failed", "Back-off$", "^failed$", "\\."}) {
    EXPECT_FALSE(Passes({.messages = {{expression}, {}}}, {})) << expression;
    EXPECT_TRUE(Passes({.messages = {{}, {expression}}}, {})) << expression;
  }
  const FilterOptions both{
      .messages = {{"nothing", "Back"}, {"restarting", "other"}}};
  EXPECT_FALSE(Passes(both, {}));
  EXPECT_TRUE(Passes(both, {.message = "Back-off pulling image"}));
  EXPECT_FALSE(Passes(both, {.message = "back-off pulling image"}));
  // Anchors are those of the text, and a dot matches a line break.
  EXPECT_FALSE(Passes({.messages = {{"^b"}, {}}}, {.message = "a\nb"}));
  EXPECT_TRUE(Passes({.messages = {{"(?m)^b"}, {}}}, {.message = "a\nb"}));
  EXPECT_TRUE(Passes({.messages = {{"a.b"}, {}}}, {.message = "a\nb"}));
  EXPECT_TRUE(Passes({.messages = {{"b", "x.y"}, {}}},
                     {.message = std::string_view("a\0b", 3)}));
  EXPECT_FALSE(Passes({.messages = {{"."}, {}}}, {.message = ""}));
  EXPECT_TRUE(Passes({.messages = {{"^$"}, {}}}, {.message = ""}));
}

TEST(EventFilterTest, OnlyTheBeginningOfALongMessageMatches) {
  const size_t limit = EventFilter::kMaxMessage;
  const FilterOptions literal{.messages = {{"end"}, {}}};
  const FilterOptions expression{.messages = {{"e.d$"}, {}}};
  const std::string fits = std::string(limit - 3, 'x') + "end";
  EXPECT_TRUE(Passes(literal, {.message = fits}));
  EXPECT_TRUE(Passes(expression, {.message = fits}));
  EXPECT_TRUE(Passes(expression, {.message = fits + "less"}));
  EXPECT_FALSE(Passes(literal, {.message = "x" + fits}));
  EXPECT_FALSE(Passes(expression, {.message = "x" + fits}));
  EXPECT_TRUE(Passes({.messages = {{}, {"end"}}}, {.message = "x" + fits}));
  // No half character at the cut.
  const std::string split = std::string(limit - 1, 'x') + "\xC3\xA9";
  EXPECT_TRUE(Passes({.messages = {{"x$"}, {}}}, {.message = split}));
}

// RE2 needs time linear in the text. With a matcher that tries again, this test
// would not end.
TEST(EventFilterTest, HostileTextsEnd) {
  const std::string text(size_t{4} << 20, 'a');
  const std::vector<std::string> slow = {"(a+)+$b", "(a|aa)+c", "(.*)(.*)(.*)d",
                                         "(a|b)*a(a|b){12}c"};
  for (const std::string& one : slow) {
    EXPECT_FALSE(Passes({.objects = {{one}, {}}}, {.object_name = text}));
    EXPECT_FALSE(Passes({.messages = {{one}, {}}}, {.message = text}));
    EXPECT_TRUE(Passes({.messages = {{}, {one}}}, {.message = text}));
  }
  EXPECT_FALSE(Passes({.messages = {slow, {}}}, {.message = "\xff\xfe\xc3"}));
  EXPECT_TRUE(Passes({.messages = {{}, slow}}, {.message = "\xff\xfe\xc3"}));
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
  EXPECT_FALSE(Passes({.objects = {{"shop", "Pod", "kubelet"}, {}}}, {}));
  EXPECT_FALSE(Passes({.namespaces = {{"cart-0"}, {}}}, {}));
  EXPECT_FALSE(Passes({.messages = {{"cart", "Pod", "kubelet"}, {}}}, {}));
}

TEST(EventFilterTest, SelectsBySingleLiterals) {
  EXPECT_EQ(Selector({.kinds = {{"Node"}, {}}}), "involvedObject.kind=Node");
  EXPECT_EQ(Selector({.reasons = {{"A"}, {"B", "C"}}}),
            "reason=A,reason!=B,reason!=C");
  EXPECT_EQ(EventFilter({.kinds = {{}, {"Pod"}}}).selection().ForEvents(),
            "regarding.kind!=Pod");
  const EventFilter one({.objects = {{"worker-1"}, {"a_B", "x\\.y"}},
                         .kinds = {{"Node"}, {}},
                         .reasons = {{}, {"A"}}});
  EXPECT_EQ(one.selection().ForCore(),
            "involvedObject.kind=Node,involvedObject.name=worker-1,"
            "involvedObject.name!=a_B,involvedObject.name!=x.y,reason!=A");
  EXPECT_EQ(one.selection().ForEvents(),
            "regarding.kind=Node,regarding.name=worker-1,regarding.name!=a_B,"
            "regarding.name!=x.y,reason!=A");
}

TEST(EventFilterTest, SelectsByNothingThatIsNotExact) {
  EXPECT_EQ(Selector({.kinds = {{"Node", "Pod"}, {}}}), "");
  EXPECT_EQ(Selector({.kinds = {{"Node.*"}, {"No.e"}}}), "");
  EXPECT_EQ(Selector({.reasons = {{"a,b"}, {"a=b", "a b"}}}), "");
  EXPECT_EQ(Selector({.components = {{"kubelet"}, {"x"}}}), "");
  EXPECT_EQ(Selector({.namespaces = {{"a"}, {"b"}}}), "");
  EXPECT_EQ(Selector({.cluster_scoped = false, .namespaces = {{"a"}, {}}}), "");
  EXPECT_EQ(Selector({.objects = {{"a", "b"}, {"c.d", "c\\\\.d", "\\w"}}}), "");
  EXPECT_EQ(Selector({.messages = {{"a"}, {"b"}}}), "");
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
  const EventFilter filter({.objects = {{}, {"n-2"}},
                            .kinds = {{"Node"}, {}},
                            .reasons = {{}, {"A"}},
                            .types = {{}, {"W.*"}}});
  const Selection& selection = filter.selection();
  EXPECT_EQ(selection.ForCore(),
            "type!=Warning,involvedObject.kind=Node,"
            "involvedObject.name!=n-2,reason!=A");
  Event event;
  event.kind = "Node";
  event.object_name = "n-1";
  event.reason = "B";
  event.type = "Normal";
  const auto matches_with = [&](std::string_view Event::*field,
                                std::string_view value) {
    Event changed = event;
    changed.*field = value;
    return selection.Matches(changed);
  };
  EXPECT_TRUE(selection.Matches(event));
  EXPECT_FALSE(matches_with(&Event::kind, "Pod"));
  EXPECT_FALSE(matches_with(&Event::object_name, "n-2"));
  EXPECT_TRUE(matches_with(&Event::object_name, ""));
  EXPECT_FALSE(matches_with(&Event::reason, "A"));
  EXPECT_FALSE(matches_with(&Event::type, "Warning"));
  const EventFilter one({.objects = {{"n-1"}, {}}});
  EXPECT_TRUE(one.selection().Matches(event));
  event.object_name = "n-2";
  EXPECT_FALSE(one.selection().Matches(event));
}

TEST(EventFilterTest, LongListsOfExcludesAreSelectedInPart) {
  FilterOptions options;
  for (int i = 0; i < 100; ++i) {
    const std::string number = std::to_string(i);
    options.reasons.exclude.push_back("R" + number);
    options.kinds.exclude.push_back("K" + number);
    options.objects.exclude.push_back("o" + number + std::string(60, 'x'));
  }
  options.reasons.include = {"R100"};
  EXPECT_LT(Selector(options).size(), 3000U);
  EXPECT_THAT(Selector(options), HasSubstr("reason=R100"));
  EXPECT_FALSE(Passes(options, {.reason = "R99"}));
  EXPECT_FALSE(Passes(options, {.kind = "K99", .reason = "R100"}));
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
