#include "base/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace kem {
namespace {

std::string_view Name(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

void Put(std::vector<std::string>& variables, const std::string& variable) {
  const auto same = [&](const std::string& other) {
    return Name(other) == Name(variable);
  };
  const auto found = std::find_if(variables.begin(), variables.end(), same);
  if (found == variables.end()) {
    variables.push_back(variable);
  } else {
    *found = variable;
  }
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

std::vector<std::string> ProcessEnvironmentWith(
    const std::vector<std::string>& additions) {
  std::vector<std::string> variables;
  for (char** at = ::environ; at != nullptr && *at != nullptr; ++at) {
    variables.emplace_back(*at);
  }
  for (const std::string& addition : additions) Put(variables, addition);
  return variables;
}

}  // namespace kem
