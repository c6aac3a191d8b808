// What of a filter the API server can apply itself, so that what is not counted
// need not be sent: conditions on kind, reason and type that must all hold, as
// field selectors have them (no "or", no patterns). Made by EventFilter; sent
// by lists and watches; asked by the pipeline which Events the last list left
// out. Never metadata.namespace, by which lists with pages lose items, nor the
// component, for which there is no field.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kem {

class Selection {
 public:
  enum class Field { kKind, kReason, kType };

  // Requires that `value` is of letters, digits, - and _: nothing else stands
  // for itself in every place it goes through.
  void Require(Field field, std::string value) {
    terms_.push_back({field, true, std::move(value)});
  }
  void Exclude(Field field, std::string value) {
    terms_.push_back({field, false, std::move(value)});
  }

  // Whether an Event is sent. `type` may be the label's value in place of the
  // field's: only Normal and Warning are selected by, and both have them.
  bool Matches(std::string_view kind, std::string_view reason,
               std::string_view type) const;

  // "involvedObject.kind=Node,type!=Normal", in the words of core/v1 and of
  // events.k8s.io/v1; empty when everything is selected.
  std::string ForCore() const { return Text("involvedObject.kind"); }
  std::string ForEvents() const { return Text("regarding.kind"); }

  bool operator==(const Selection&) const = default;

 private:
  struct Term {
    Field field;
    bool equal;
    std::string value;
    bool operator==(const Term&) const = default;
  };

  std::string Text(std::string_view kind_field) const;

  std::vector<Term> terms_;
};

}  // namespace kem
