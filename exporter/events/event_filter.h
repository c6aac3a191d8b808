// Which Events are counted, and which a sink gets: by the scope of their
// object, and by expressions for its namespace, name and kind and for reason,
// type, component and message. Never a mirror. Also which namespaces may have
// Events about cluster-scoped objects. Made from the options, also on reload;
// used by the pipeline for each Event. An excluded Event is still decoded and
// remembered, so that a later filter that includes it counts no earlier
// occurrence.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/event.h"
#include "events/scope.h"

namespace kem {

// RE2 expressions, one of which must match the whole value; of a message, some
// part.
struct FilterList {
  // Empty includes everything.
  std::vector<std::string> include = {};
  std::vector<std::string> exclude = {};
  bool operator==(const FilterList&) const = default;
};

struct FilterOptions {
  bool cluster_scoped = true;
  bool namespaced = true;
  // Of namespaced objects only.
  FilterList namespaces = {};
  // Expressions as in FilterList, for Trusts. A sink's filter has none.
  std::vector<std::string> trusted_namespaces = {};
  // Names, also of cluster-scoped objects.
  FilterList objects = {};
  FilterList kinds = {};
  FilterList reasons = {};
  FilterList types = {};
  FilterList components = {};
  // Of a sink's filter only, because messages are no labels.
  FilterList messages = {};
  bool operator==(const FilterOptions&) const = default;
};

// What a filter sees of an Event.
struct FilterInput {
  Scope scope = Scope::kCluster;
  // Empty for cluster-scoped objects.
  std::string_view object_namespace = {};
  // Null for a series of all objects: one of them may pass.
  std::optional<std::string_view> object_name = {};
  std::string_view kind = {};
  std::string_view reason = {};
  std::string_view type = {};  // TypeLabel's
  std::string_view component = {};
  std::string_view message = {};
};

// The part of a filter that the API server applies, so that excluded Events are
// not sent: a field selector, which is a conjunction of conditions on kind and
// name of the object, reason and type. Sent with lists and watches; the
// pipeline uses it to find the Events that the last list left out. Both APIs
// have these fields (k8s.io/kubernetes v1.37.2 pkg/apis/core/v1/conversion.go,
// pkg/apis/events/v1/conversion.go). Never selects by metadata.namespace,
// because a list in pages then loses items, nor by the object's namespace,
// because the exporter counts in the Event's where that is empty or not
// trusted. There is no field for the component.
class Selection {
 public:
  enum class Field { kKind, kName, kReason, kType };

  // `value` must consist of letters, digits, -, _ and dots, which need no
  // escape anywhere.
  void Require(Field field, std::string value) {
    terms_.push_back({field, true, std::move(value)});
  }
  void Exclude(Field field, std::string value) {
    terms_.push_back({field, false, std::move(value)});
  }

  size_t size() const { return terms_.size(); }

  // Whether the API server sends an Event.
  bool Matches(const Event& event) const;

  // "involvedObject.kind=Node,type!=Normal", with the field names of core/v1
  // and of events.k8s.io/v1. Empty when everything is selected.
  std::string ForCore() const { return Text("involvedObject"); }
  std::string ForEvents() const { return Text("regarding"); }

 private:
  struct Term {
    Field field;
    bool equal;
    std::string value;
  };

  // `object` is the field with the object.
  std::string Text(std::string_view object) const;

  std::vector<Term> terms_;
};

// What is wrong with a list of expressions, to follow the option's name; empty
// when it is valid.
std::string ExpressionProblem(const std::vector<std::string>& expressions);

// Immutable and thread-safe.
class EventFilter {
 public:
  // Of a longer message, expressions see this much: the pipeline matches under
  // the world's mutex. The API server accepts no longer one in an Event with an
  // eventTime (k8s.io/kubernetes v1.37.2
  // pkg/apis/core/validation/events.go:183).
  static constexpr size_t kMaxMessage = 1024;

  // The expressions must be valid.
  explicit EventFilter(FilterOptions options);
  ~EventFilter();
  EventFilter(const EventFilter&) = delete;
  EventFilter& operator=(const EventFilter&) = delete;

  // Takes time linear in the lengths; does not allocate.
  bool Passes(const FilterInput& input) const {
    if (input.component == kMirrorComponent) return false;
    if (input.scope == Scope::kCluster ? !options_.cluster_scoped
                                       : !options_.namespaced) {
      return false;
    }
    return by_scope_ || PassesLists(input);
  }

  // Whether an Event in this namespace may be about a cluster-scoped object:
  // always in default and kube-system, the only namespaces where the API server
  // accepts an Event without a namespace for its object (k8s.io/kubernetes
  // v1.37.2 pkg/apis/core/validation/events.go:143-167). Elsewhere everyone
  // with the role edit can write "Node n1 is broken".
  bool Trusts(std::string_view event_namespace) const;

  const FilterOptions& options() const { return options_; }
  // A text that identifies the options.
  std::string Text() const;
  // Selects all Events that pass, and as few others as field selectors can.
  const Selection& selection() const { return selection_; }

 private:
  struct Lists;

  bool PassesLists(const FilterInput& input) const;
  void Select(Selection::Field field, const FilterList& list);
  void SelectTypes();

  const FilterOptions options_;
  const bool by_scope_;  // there are no lists
  std::unique_ptr<const Lists> lists_;
  Selection selection_;
};

}  // namespace kem
