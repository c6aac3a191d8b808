// Which Events are counted: by scope and namespace of their object, and by
// expressions for kind, reason, type and component; never a mirror. Built from
// the options, and anew by a reload; asked by the pipeline for each Event. An
// Event that does not pass is still decoded and remembered, so that a later
// filter that lets it through counts no occurrence from before.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "events/event.h"
#include "events/scope.h"
#include "events/selection.h"

namespace kem {

// RE2 expressions, of which one must match the whole value.
struct FilterList {
  // Empty lets everything through.
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

// What is wrong with a list of expressions, worded to follow the option's name;
// empty when nothing is.
std::string ExpressionProblem(const std::vector<std::string>& expressions);

// Immutable and thread-safe.
class EventFilter {
 public:
  // The expressions must have no problem.
  explicit EventFilter(FilterOptions options);
  ~EventFilter();
  EventFilter(const EventFilter&) = delete;
  EventFilter& operator=(const EventFilter&) = delete;

  // `object_namespace` is empty for cluster-scoped objects; `type` is the
  // label's: Normal, Warning or other. The rest is as the Event has it, however
  // long. Linear in their lengths; does not allocate.
  bool Passes(Scope scope, std::string_view object_namespace,
              std::string_view kind, std::string_view reason,
              std::string_view type, std::string_view component) const {
    if (component == kMirrorComponent) return false;
    return passes_all_ ||
           Judge(scope, object_namespace, kind, reason, type, component);
  }

  const FilterOptions& options() const { return options_; }
  // The options as a text; other options have another.
  std::string Text() const;
  // Lets through whatever passes, and as little else as selectors can say.
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
