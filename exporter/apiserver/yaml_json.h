// Reads YAML as Kubernetes does (sigs.k8s.io/yaml on go-yaml v2): the first
// document only, yes and no as true and false, merge keys (<<), and of equal
// keys the last one. Used for kubeconfigs and for what credential plugins
// print. The exporter's own files are read more strictly; see
// config/strict_yaml.h.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace kem {

// The YAML text as JSON text. Numbers that JSON does not have, such as 0x1F,
// become strings. The error is a clause with the line, which quotes no value.
// Refuses texts whose aliases expand to much more than themselves. Never
// throws. Thread-safe.
Result<std::string> YamlToJson(std::string_view yaml);

}  // namespace kem
