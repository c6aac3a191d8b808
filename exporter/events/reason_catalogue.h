// reason_catalogue.yaml and namespaced_reasons.yaml as one table: the known
// reasons of Events. Used to start the counters of cluster-scoped objects at 0
// and to explain a reason where an Event is shown. Other reasons are counted in
// the same way.
#pragma once

#include <span>
#include <string_view>

namespace kem {

enum class Severity { kCritical, kWarning, kInfo };

// The file's value "any" is an empty text here.
struct CatalogueReason {
  std::string_view kind;
  std::string_view api_group;
  std::string_view component;
  std::string_view reason;
  std::string_view type;  // Normal or Warning
  Severity severity = Severity::kInfo;
  std::string_view meaning;  // one sentence each
  std::string_view action;
  std::string_view source;  // "kubernetes" or an add-on
  // A kind whose presence in discovery shows that the add-on is installed.
  std::string_view found_by_kind;
  std::string_view found_by_group;
  bool namespaced = false;  // the object is

  bool IsCore() const { return source == "kubernetes"; }
  // Whether it identifies one series, which can exist before the first Event.
  // A namespaced object's has a namespace, which is not known before.
  bool IsSeries() const {
    return !kind.empty() && !component.empty() && !namespaced;
  }
};

// Sorted by reason, type, kind, group and component, which are unique together.
// Thread-safe; valid until the process ends.
std::span<const CatalogueReason> ReasonCatalogue();

// What identifies a reason in an Event; an empty component is none.
struct ReasonKey {
  std::string_view reason;
  std::string_view type;
  std::string_view kind;
  std::string_view api_group;
  std::string_view component;
};

// The row of an Event, or null. A row of the Event's component is best, then
// one of any component, then one of another component. Thread-safe; the row is
// valid until the process ends. A binary search.
const CatalogueReason* FindReason(const ReasonKey& key);

}  // namespace kem
