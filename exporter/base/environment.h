// The environment variables, passed in so that tests own them. Main takes the
// process's, tests a map. The only place that calls getenv (tests/lint checks
// it); nothing here sets a variable.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kem {

// The variable's value; empty when it is not set.
using Environment =
    std::function<std::optional<std::string>(const std::string& name)>;

// The process's own environment. Thread-safe, as we never call setenv.
Environment ProcessEnvironment();

// All of it as "NAME=value", for a program that we start; `additions`, of the
// same form, take the place of variables of their names, the last one of a name
// wins. Thread-safe.
std::vector<std::string> ProcessEnvironmentWith(
    const std::vector<std::string>& additions);

}  // namespace kem
