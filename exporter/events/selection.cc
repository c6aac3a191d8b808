#include "events/selection.h"

#include <algorithm>

namespace kem {

bool Selection::Matches(std::string_view kind, std::string_view reason,
                        std::string_view type) const {
  return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    const std::string_view value = term.field == Field::kKind     ? kind
                                   : term.field == Field::kReason ? reason
                                                                  : type;
    return (value == term.value) == term.equal;
  });
}

std::string Selection::Text(std::string_view kind_field) const {
  std::string text;
  for (const Term& term : terms_) {
    if (!text.empty()) text += ',';
    text += term.field == Field::kKind     ? kind_field
            : term.field == Field::kReason ? "reason"
                                           : "type";
    text += term.equal ? "=" : "!=";
    text += term.value;
  }
  return text;
}

}  // namespace kem
