#include "config/filter_values.h"

#include "base/ascii.h"

namespace kem {
namespace {

using Take = std::string (*)(const OptionValues&, FilterOptions&);

constexpr OptionRow Key(const char* name, Take take) {
  return {name, "", OptionKind::kList, "", "", "", nullptr, true, take};
}

// The keys that are no options.
constexpr OptionRow kKeys[] = {
    Key("messages", TakeIncluded<&FilterOptions::messages>),
    Key("messages-exclude", TakeExcluded<&FilterOptions::messages>)};

const OptionRow* FindKey(std::string_view name) {
  for (const OptionRow& row : kKeys) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace

std::string TakeScope(const OptionValues& values, FilterOptions& filter) {
  filter.cluster_scoped = values[0] != "namespaced";
  filter.namespaced = values[0] != "cluster";
  if (values[0] == "all" || filter.cluster_scoped != filter.namespaced) {
    return "";
  }
  return Quoted(values[0]) + " must be all, cluster or namespaced";
}

std::string TakeExpressions(const OptionValues& values, OptionValues& to) {
  std::string problem = ExpressionProblem(values);
  if (problem.empty()) to = values;
  return problem;
}

const OptionRow* FindSinkFilterKey(std::string_view name) {
  const OptionRow* row = FindKey(name);
  if (row == nullptr) row = FindOption(name);
  return row != nullptr && row->take_filter != nullptr ? row : nullptr;
}

std::string SinkFilterOnly(std::string_view name) {
  if (FindKey(name) == nullptr) return "";
  return "can only be set in the filter of a sink, because messages are not "
         "labels";
}

}  // namespace kem
