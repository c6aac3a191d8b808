// The part of a filter that the API server applies, so that excluded Events are
// not sent: a field selector, which is a conjunction of conditions on kind,
// reason and type. Made by EventFilter, sent with lists and watches; the
// pipeline uses it to find the Events that the last list left out. Never
// selects by metadata.namespace, because a list in pages then loses items.
// There is no field for the component.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kem {

class Selection {
 public:
  enum class Field { kKind, kReason, kType };

  // `value` must consist of letters, digits, - and _, which need no escape
  // anywhere.
  void Require(Field field, std::string value) {
    terms_.push_back({field, true, std::move(value)});
  }
  void Exclude(Field field, std::string value) {
    terms_.push_back({field, false, std::move(value)});
  }

  // Whether the API server sends an Event. `type` may be the label: only Normal
  // and Warning are selected by, which label and field share.
  bool Matches(std::string_view kind, std::string_view reason,
               std::string_view type) const;

  // "involvedObject.kind=Node,type!=Normal", with the field names of core/v1
  // and of events.k8s.io/v1. Empty when everything is selected.
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
