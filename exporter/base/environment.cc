#include "base/environment.h"

#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <string_view>

namespace kem {
namespace {

std::string_view Name(std::string_view variable) {
  return variable.substr(0, variable.find('='));
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
  for (const std::string& addition : additions) {
    std::erase_if(variables, [&](const std::string& variable) {
      return Name(variable) == Name(addition);
    });
    variables.push_back(addition);
  }
  return variables;
}

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace kem
