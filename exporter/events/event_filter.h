// Which Events are counted: by scope and namespace of their object, and by
// expressions for kind, reason, type and component. Never counts a mirror.
// Made from the options, also on reload; used by the pipeline for each Event.
// An excluded Event is still decoded and remembered, so that a later filter
// that includes it counts no earlier occurrence.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "events/event.h"
#include "events/scope.h"
#include "events/selection.h"

namespace kem {

// RE2 expressions, one of which must match the whole value.
struct FilterList {
  // Empty includes everything.
  std::vector<std::string> include = {};
  std::vector<std::string> exclude = {};
  bool operator==(const FilterList&) const = default;
};

struct FilterOptions {
  bool cluster_scoped = true;
  bool namespaced = true;
  // Of namespaced objects; empty for all.
  std::vector<std::string> namespaces = {};
  FilterList kinds = {};
  FilterList reasons = {};
  FilterList types = {};
  FilterList components = {};
  bool operator==(const FilterOptions&) const = default;
};

// What is wrong with a list of expressions, to follow the option's name; empty
// when it is valid.
std::string ExpressionProblem(const std::vector<std::string>& expressions);

// Immutable and thread-safe.
class EventFilter {
 public:
  // The expressions must be valid.
  explicit EventFilter(FilterOptions options);
  ~EventFilter();
  EventFilter(const EventFilter&) = delete;
  EventFilter& operator=(const EventFilter&) = delete;

  // `object_namespace` is empty for cluster-scoped objects; `type` is
  // TypeLabel's. Takes time linear in the lengths; does not allocate.
  bool Passes(Scope scope, std::string_view object_namespace,
              std::string_view kind, std::string_view reason,
              std::string_view type, std::string_view component) const {
    if (component == kMirrorComponent) return false;
    return passes_all_ ||
           Judge(scope, object_namespace, kind, reason, type, component);
  }

  const FilterOptions& options() const { return options_; }
  // A text that identifies the options.
  std::string Text() const;
  // Selects all Events that pass, and as few others as field selectors can.
  const Selection& selection() const { return selection_; }

 private:
  struct Lists;

  bool Judge(Scope scope, std::string_view object_namespace,
             std::string_view kind, std::string_view reason,
             std::string_view type, std::string_view component) const;
  void Select(Selection::Field field, const FilterList& list);
  void SelectTypes();

  const FilterOptions options_;
  const bool passes_all_;
  std::unique_ptr<const Lists> lists_;
  Selection selection_;
};

}  // namespace kem
