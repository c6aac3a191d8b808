#include "series/exemplars.h"

#include "series/label_text.h"
#include "series/text_style.h"

namespace kem {

void Exemplars::Note(uint32_t row, std::string_view event_namespace,
                     std::string_view event_name, WallTime occurred_at) {
  if (row >= exemplars_.size()) exemplars_.resize(size_t{row} + 1);
  Exemplar& exemplar = exemplars_[row];
  // Prometheus rejects an exemplar older than the last one.
  if (!exemplar.labels.empty() && occurred_at < exemplar.at) return;
  exemplar.at = occurred_at;
  ExemplarText(event_namespace, event_name, exemplar.labels);
}

void Exemplars::Forget(uint32_t row) {
  if (row < exemplars_.size()) exemplars_[row] = Exemplar();
}

void Exemplars::Append(uint32_t row, std::string& out) const {
  if (row >= exemplars_.size() || exemplars_[row].labels.empty()) return;
  out.append(" # {").append(exemplars_[row].labels).append("} 1 ");
  AppendTimestamp(exemplars_[row].at, out);
}

}  // namespace kem
