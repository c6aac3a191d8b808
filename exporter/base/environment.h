// Environment variables, injected so that tests need not set any: main passes
// the process's, tests a map. The only place that calls getenv (tests/lint
// checks this); nothing sets a variable.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kem {

// The variable's value; empty when it is not set.
using Environment =
    std::function<std::optional<std::string>(const std::string& name)>;

// The process's environment. Thread-safe, because setenv is never called.
Environment ProcessEnvironment();

// The whole environment for a child process, as "NAME=value". `additions`, of
// the same form, replace variables of the same name; the last one wins.
// Thread-safe.
std::vector<std::string> ProcessEnvironmentWith(
    const std::vector<std::string>& additions);

// The name of this machine, which in a Pod is the Pod's; empty if there is
// none.
std::string HostName();

}  // namespace kem
