#include "events/event_filter.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

namespace kem {
namespace {

// Proxies limit a URL to 4 or 8 KiB. The exporter applies further exclusions
// itself.
constexpr size_t kMaxSelectorTerms = 32;
constexpr size_t kMaxLiteral = 64;
constexpr int64_t kMaxExpressionMemory = int64_t{4} << 20;

RE2::Options ExpressionOptions() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_max_mem(kMaxExpressionMemory);
  return options;
}

using Compiled = std::unique_ptr<const RE2>;

Compiled Compile(const std::string& expression) {
  return std::make_unique<const RE2>(expression, ExpressionOptions());
}

// The expression as a group. A \Q without its \E would swallow what follows.
std::string Group(const std::string& expression) {
  std::string group = "(?:" + expression + ")";
  return Compile(group)->ok() ? group : "(?:" + expression + "\\E)";
}

// Expressions of which any must match. One for all of them, which is the
// fastest, unless they cannot be joined: for two groups of the same name, or
// for their size.
std::vector<Compiled> CompileAny(const std::vector<std::string>& expressions) {
  std::string all;
  for (const std::string& expression : expressions) {
    if (!all.empty()) all += '|';
    all += Group(expression);
  }
  std::vector<Compiled> compiled;
  compiled.push_back(Compile(all));
  if (compiled.front()->ok()) return compiled;
  compiled.clear();
  for (const std::string& expression : expressions) {
    compiled.push_back(Compile(expression));
  }
  return compiled;
}

// Whether an expression has no special characters.
bool IsLiteral(std::string_view expression) {
  return !expression.empty() && expression.size() <= kMaxLiteral &&
         std::all_of(expression.begin(), expression.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

// Matches any expression of a list. A list of literals, the usual case, is
// compared without RE2, which is slower.
class AnyOf {
 public:
  explicit AnyOf(const std::vector<std::string>& list) {
    if (std::all_of(list.begin(), list.end(), IsLiteral)) {
      literals_ = list;
    } else {
      compiled_ = CompileAny(list);
    }
  }
  bool empty() const { return literals_.empty() && compiled_.empty(); }
  bool Has(std::string_view value) const {
    const re2::StringPiece text(value.data(), value.size());
    return std::find(literals_.begin(), literals_.end(), value) !=
               literals_.end() ||
           std::any_of(compiled_.begin(), compiled_.end(),
                       [&text](const Compiled& expression) {
                         return RE2::FullMatch(text, *expression);
                       });
  }

 private:
  // One of them is empty.
  std::vector<std::string> literals_;
  std::vector<Compiled> compiled_;
};

// A filter that excludes nothing decides without its lists.
bool ExcludesNothing(FilterOptions options) {
  options.trusted_namespaces.clear();
  return options == FilterOptions();
}

class Matcher {
 public:
  explicit Matcher(const FilterList& list)
      : include_(list.include), exclude_(list.exclude) {}

  bool Passes(std::string_view value) const {
    return (include_.empty() || include_.Has(value)) && !exclude_.Has(value);
  }

 private:
  const AnyOf include_;
  const AnyOf exclude_;
};

}  // namespace

bool Selection::Matches(std::string_view kind, std::string_view reason,
                        std::string_view type) const {
  return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    const std::string_view value = term.field == Field::kKind     ? kind
                                   : term.field == Field::kReason ? reason
                                                                  : type;
    return (value == term.value) == term.equal;
  });
}

std::string Selection::Text(std::string_view kind_field) const {
  std::string text;
  for (const Term& term : terms_) {
    if (!text.empty()) text += ',';
    text += term.field == Field::kKind     ? kind_field
            : term.field == Field::kReason ? "reason"
                                           : "type";
    text += term.equal ? "=" : "!=";
    text += term.value;
  }
  return text;
}

struct EventFilter::Lists {
  explicit Lists(const FilterOptions& options)
      : kinds(options.kinds),
        reasons(options.reasons),
        types(options.types),
        components(options.components),
        trusted_namespaces(options.trusted_namespaces) {}

  Matcher kinds;
  Matcher reasons;
  Matcher types;
  Matcher components;
  AnyOf trusted_namespaces;
};

std::string ExpressionProblem(const std::vector<std::string>& expressions) {
  for (const std::string& expression : expressions) {
    if (expression.empty()) return "has an empty expression; remove it";
    const Compiled compiled = Compile(expression);
    if (!compiled->ok()) {
      return '"' + expression +
             "\" is not a valid RE2 expression: " + compiled->error();
    }
  }
  return "";
}

EventFilter::EventFilter(FilterOptions options)
    : options_(std::move(options)),
      passes_all_(ExcludesNothing(options_)),
      lists_(std::make_unique<const Lists>(options_)) {
  SelectTypes();
  Select(Selection::Field::kKind, options_.kinds);
  Select(Selection::Field::kReason, options_.reasons);
}

EventFilter::~EventFilter() = default;

bool EventFilter::Trusts(std::string_view event_namespace) const {
  return event_namespace == "default" || event_namespace == "kube-system" ||
         lists_->trusted_namespaces.Has(event_namespace);
}

std::string EventFilter::Text() const {
  std::string text;
  text += options_.cluster_scoped ? 'c' : '-';
  text += options_.namespaced ? 'n' : '-';
  const auto add = [&text](const std::vector<std::string>& values) {
    text += " " + std::to_string(values.size());
    for (const std::string& value : values) {
      text += " " + std::to_string(value.size()) + ":" + value;
    }
  };
  add(options_.namespaces);
  add(options_.trusted_namespaces);
  for (const FilterList* list : {&options_.kinds, &options_.reasons,
                                 &options_.types, &options_.components}) {
    add(list->include);
    add(list->exclude);
  }
  return text;
}

bool EventFilter::Judge(Scope scope, std::string_view object_namespace,
                        std::string_view kind, std::string_view reason,
                        std::string_view type,
                        std::string_view component) const {
  if (scope == Scope::kCluster) {
    if (!options_.cluster_scoped) return false;
  } else {
    const std::vector<std::string>& allowed = options_.namespaces;
    if (!options_.namespaced ||
        (!allowed.empty() && std::find(allowed.begin(), allowed.end(),
                                       object_namespace) == allowed.end())) {
      return false;
    }
  }
  return lists_->kinds.Passes(kind) && lists_->reasons.Passes(reason) &&
         lists_->types.Passes(type) && lists_->components.Passes(component);
}

void EventFilter::Select(Selection::Field field, const FilterList& list) {
  if (list.include.size() == 1 && IsLiteral(list.include[0])) {
    selection_.Require(field, list.include[0]);
  }
  size_t terms = 0;
  for (const std::string& expression : list.exclude) {
    if (!IsLiteral(expression)) continue;
    if (++terms > kMaxSelectorTerms) return;
    selection_.Exclude(field, expression);
  }
}

// The label has three values, so each can be tested. "other" is not a value of
// the field.
void EventFilter::SelectTypes() {
  constexpr auto kType = Selection::Field::kType;
  const bool normal = lists_->types.Passes("Normal");
  const bool warning = lists_->types.Passes("Warning");
  const bool other = lists_->types.Passes("other");
  if (normal && !warning && !other) return selection_.Require(kType, "Normal");
  if (warning && !normal && !other) return selection_.Require(kType, "Warning");
  if (!normal) selection_.Exclude(kType, "Normal");
  if (!warning) selection_.Exclude(kType, "Warning");
}

}  // namespace kem
