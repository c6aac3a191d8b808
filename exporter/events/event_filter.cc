#include "events/event_filter.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "base/utf8.h"

namespace kem {
namespace {

// Proxies limit a URL to 4 or 8 KiB. The exporter applies what is beyond that
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

// The only text that an expression matches, if it is one of letters, digits, -,
// _ and escaped dots, as in the names of nodes.
std::optional<std::string> LiteralOf(std::string_view expression) {
  std::string literal;
  for (size_t i = 0; i < expression.size(); ++i) {
    const bool dot = expression.substr(i, 2) == "\\.";
    const char c = expression[dot ? ++i : i];
    if (!dot && !IsAsciiAlphanumeric(c) && c != '-' && c != '_') return {};
    literal += c;
  }
  if (literal.empty() || literal.size() > kMaxLiteral) return {};
  return literal;
}

// The part of a value that an expression must match.
enum class Part { kWhole, kAny };

// Matches any expression of a list. A list of literals, the usual case, is
// compared without RE2, which is slower.
class AnyOf {
 public:
  AnyOf(const std::vector<std::string>& list, Part part) : part_(part) {
    for (const std::string& expression : list) {
      std::optional<std::string> literal = LiteralOf(expression);
      if (!literal) {
        literals_.clear();
        compiled_ = CompileAny(list);
        return;
      }
      literals_.push_back(std::move(*literal));
    }
  }
  bool empty() const { return literals_.empty() && compiled_.empty(); }
  bool Has(std::string_view value) const {
    const bool whole = part_ == Part::kWhole;
    const re2::StringPiece text(value.data(), value.size());
    return std::any_of(literals_.begin(), literals_.end(),
                       [&](const std::string& literal) {
                         return whole ? value == literal
                                      : value.find(literal) !=
                                            std::string_view::npos;
                       }) ||
           std::any_of(compiled_.begin(), compiled_.end(),
                       [&](const Compiled& expression) {
                         return whole ? RE2::FullMatch(text, *expression)
                                      : RE2::PartialMatch(text, *expression);
                       });
  }

 private:
  Part part_;
  // One of them is empty.
  std::vector<std::string> literals_;
  std::vector<Compiled> compiled_;
};

bool HasNoLists(FilterOptions options) {
  options.trusted_namespaces.clear();
  options.cluster_scoped = options.namespaced = true;
  return options == FilterOptions();
}

class Matcher {
 public:
  explicit Matcher(const FilterList& list, Part part = Part::kWhole)
      : include_(list.include, part), exclude_(list.exclude, part) {}

  bool Passes(std::string_view value) const {
    return (include_.empty() || include_.Has(value)) && !exclude_.Has(value);
  }

 private:
  AnyOf include_;
  AnyOf exclude_;
};

// By Selection::Field.
struct SelectorField {
  const char* name;
  std::string_view Event::*value;
  bool of_object;
};
constexpr std::array<SelectorField, 4> kSelectorFields = {
    {{"kind", &Event::kind, true},
     {"name", &Event::object_name, true},
     {"reason", &Event::reason, false},
     {"type", &Event::type, false}}};

const SelectorField& Of(Selection::Field field) {
  return kSelectorFields[static_cast<size_t>(field)];
}

}  // namespace

bool Selection::Matches(const Event& event) const {
  return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    return (event.*Of(term.field).value == term.value) == term.equal;
  });
}

std::string Selection::Text(std::string_view object) const {
  std::string text;
  for (const Term& term : terms_) {
    const SelectorField& field = Of(term.field);
    if (!text.empty()) text += ',';
    if (field.of_object) text.append(object).append(".");
    text.append(field.name).append(term.equal ? "=" : "!=").append(term.value);
  }
  return text;
}

// Only the lists that have expressions: each Event is compared with all of
// them, and most filters have one or two.
struct EventFilter::Lists {
  using Label = std::string_view FilterInput::*;

  explicit Lists(const FilterOptions& options)
      : trusted_namespaces(options.trusted_namespaces, Part::kWhole) {
    const auto add = [](std::optional<Matcher>& to, const FilterList& list,
                        Part part) {
      if (list != FilterList()) to.emplace(list, part);
    };
    add(namespaces, options.namespaces, Part::kWhole);
    add(objects, options.objects, Part::kWhole);
    add(messages, options.messages, Part::kAny);
    const std::pair<Label, const FilterList&> all[] = {
        {&FilterInput::kind, options.kinds},
        {&FilterInput::reason, options.reasons},
        {&FilterInput::type, options.types},
        {&FilterInput::component, options.components}};
    for (const auto& [label, list] : all) {
      if (list != FilterList()) labels.emplace_back(label, Matcher(list));
    }
  }

  std::optional<Matcher> namespaces;
  std::optional<Matcher> objects;
  std::optional<Matcher> messages;
  std::vector<std::pair<Label, Matcher>> labels;
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
      by_scope_(HasNoLists(options_)),
      lists_(std::make_unique<const Lists>(options_)) {
  SelectTypes();
  Select(Selection::Field::kKind, options_.kinds);
  Select(Selection::Field::kName, options_.objects);
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
  add(options_.trusted_namespaces);
  for (const FilterList* list :
       {&options_.namespaces, &options_.objects, &options_.kinds,
        &options_.reasons, &options_.types, &options_.components,
        &options_.messages}) {
    add(list->include);
    add(list->exclude);
  }
  return text;
}

bool EventFilter::PassesLists(const FilterInput& input) const {
  const auto& [namespaces, objects, messages, labels, trusted] = *lists_;
  if (namespaces && input.scope == Scope::kNamespaced &&
      !namespaces->Passes(input.object_namespace)) {
    return false;
  }
  for (const auto& [label, matcher] : labels) {
    if (!matcher.Passes(input.*label)) return false;
  }
  if (objects && input.object_name && !objects->Passes(*input.object_name)) {
    return false;
  }
  // The message, which takes the longest, is the last.
  return !messages || messages->Passes(CutUtf8(input.message, kMaxMessage));
}

void EventFilter::Select(Selection::Field field, const FilterList& list) {
  if (list.include.size() == 1) {
    if (auto literal = LiteralOf(list.include[0])) {
      selection_.Require(field, std::move(*literal));
    }
  }
  for (const std::string& expression : list.exclude) {
    if (selection_.size() >= kMaxSelectorTerms) return;
    if (auto literal = LiteralOf(expression)) {
      selection_.Exclude(field, std::move(*literal));
    }
  }
}

// The label has three values, so each can be tested. "other" is not a value of
// the field.
void EventFilter::SelectTypes() {
  constexpr auto kType = Selection::Field::kType;
  const Matcher types(options_.types);
  const bool normal = types.Passes("Normal");
  const bool warning = types.Passes("Warning");
  const bool other = types.Passes("other");
  if (normal && !warning && !other) return selection_.Require(kType, "Normal");
  if (warning && !normal && !other) return selection_.Require(kType, "Warning");
  if (!normal) selection_.Exclude(kType, "Normal");
  if (!warning) selection_.Exclude(kType, "Warning");
}

}  // namespace kem
