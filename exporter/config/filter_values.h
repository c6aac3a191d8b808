// The values of filters: how option_table.cc parses those of options, and the
// keys that only a sink's filter has, for config_file.cc and flags.cc. Reads no
// file. Pure functions, thread-safe; they return what is wrong as OptionRow's
// do.
#pragma once

#include <string>
#include <string_view>

#include "config/option_table.h"
#include "events/event_filter.h"

namespace kem {

std::string TakeScope(const OptionValues& values, FilterOptions& filter);

// RE2 expressions.
std::string TakeExpressions(const OptionValues& values, OptionValues& to);

template <FilterList FilterOptions::*kField>
std::string TakeIncluded(const OptionValues& values, FilterOptions& filter) {
  return TakeExpressions(values, (filter.*kField).include);
}

template <FilterList FilterOptions::*kField>
std::string TakeExcluded(const OptionValues& values, FilterOptions& filter) {
  return TakeExpressions(values, (filter.*kField).exclude);
}

// The row of this key of a sink's filter, or null.
const OptionRow* FindSinkFilterKey(std::string_view name);

// Why this key of a sink's filter is no option, to follow its name. Empty for
// options and for unknown names.
std::string SinkFilterOnly(std::string_view name);

}  // namespace kem
