// What is known of the Events that programs write about cluster-scoped objects:
// reason_catalogue.yaml as a table in the binary. Used to start counters at 0
// and to explain a reason to people. Not a list of what may happen: any other
// reason is counted just the same.
#pragma once

#include <span>
#include <string_view>

namespace kem {

enum class Severity { kCritical, kWarning, kInfo };

// A value "any" of the file is an empty text here.
struct CatalogueReason {
  std::string_view kind;
  std::string_view api_group;
  std::string_view component;
  std::string_view reason;
  std::string_view type;  // Normal or Warning; says nothing of severity
  Severity severity = Severity::kInfo;
  std::string_view meaning;  // one sentence each
  std::string_view action;
  std::string_view source;  // "kubernetes" or an add-on
  // The kind by which discovery shows the add-on, when there is one.
  std::string_view found_by_kind;
  std::string_view found_by_group;

  bool IsCore() const { return source == "kubernetes"; }
  // Whether it stands for one series, so that this can exist beforehand.
  bool IsSeries() const { return !kind.empty() && !component.empty(); }
};

// All of them, by kind, group, component, reason and type; no two alike in
// these five. Thread-safe; lives as long as the process.
std::span<const CatalogueReason> ReasonCatalogue();

}  // namespace kem
