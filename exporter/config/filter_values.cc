#include "config/filter_values.h"

#include "base/ascii.h"

namespace kem {
namespace {

// The keys that are no options.
constexpr OptionRow kSinkFilterRows[] = {
    {"messages", "", OptionKind::kList, "", "", "", nullptr, true,
     TakeIncluded<&FilterOptions::messages>},
    {"messages-exclude", "", OptionKind::kList, "", "", "", nullptr, true,
     TakeExcluded<&FilterOptions::messages>}};

const OptionRow* FindSinkFilterRow(std::string_view name) {
  for (const OptionRow& row : kSinkFilterRows) {
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
  const OptionRow* row = FindSinkFilterRow(name);
  if (row == nullptr) row = FindOption(name);
  return row != nullptr && row->take_filter != nullptr ? row : nullptr;
}

std::string SinkFilterOnly(std::string_view name) {
  if (FindSinkFilterRow(name) == nullptr) return "";
  return "can only be set in the filter of a sink, because messages are not "
         "labels";
}

}  // namespace kem
