#include "pipeline/event_labels.h"

#include <algorithm>

#include "base/utf8.h"
#include "events/cluster_kinds.h"
#include "occurrences/occurrence.h"

namespace kem {
namespace {

// A queue keeps all that a filter sees of a message.
static_assert(EventFilter::kMaxMessage <= Occurrence::kMaxMessage);

FilterInput InputOf(const SeriesLabels& labels) {
  FilterInput input;
  input.scope = labels.scope;
  input.object_namespace = labels.object_namespace;
  input.kind = labels.kind;
  input.reason = labels.reason;
  input.type = labels.type;
  input.component = labels.reporting_component;
  return input;
}

}  // namespace

SeriesLabels LabelsOf(const Event& event, Scope scope) {
  SeriesLabels labels;
  labels.scope = scope;
  labels.api_group = ApiGroup(event.api_version);
  labels.kind = event.kind;
  if (scope == Scope::kCluster) {
    labels.object_name = event.object_name;
  } else {
    labels.object_namespace = NamespaceOfObject(event);
  }
  labels.reason = event.reason;
  labels.type = TypeLabel(event.type);
  labels.reporting_component = event.reporting_component;
  return labels;
}

bool IsCounted(const EventFilter& filter, const SeriesLabels& labels,
               const Event& event) {
  FilterInput input = InputOf(labels);
  input.object_name = event.object_name;
  return filter.Passes(input);
}

bool IsCounted(const EventFilter& filter, const SeriesLabels& labels) {
  return filter.Passes(InputOf(labels));
}

uint32_t MatchSinks(const std::vector<SharedFilter>& filters,
                    const SeriesLabels& labels, const Event& event) {
  if (filters.empty()) return 0;
  const auto kept = [](std::string_view word) {
    return CutUtf8(word, Occurrence::kMaxWord);
  };
  FilterInput input = InputOf(labels);
  input.object_namespace = kept(input.object_namespace);
  input.object_name = kept(event.object_name);
  input.kind = kept(input.kind);
  input.reason = kept(input.reason);
  input.component = kept(input.component);
  input.message = event.message;
  uint32_t sinks = 0;
  for (size_t i = 0; i < filters.size(); ++i) {
    if (filters[i]->Passes(input)) sinks |= uint32_t{1} << i;
  }
  return sinks;
}

}  // namespace kem
