// What an Event is counted by, and what the filters see of it: for counting,
// for a preset, and for sinks. Used by the pipeline. Pure functions,
// thread-safe; the results point into their arguments.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "events/event.h"
#include "events/event_filter.h"
#include "events/scope.h"
#include "series/label_text.h"

namespace kem {

using SharedFilter = std::shared_ptr<const EventFilter>;

// `scope` is that of the Event's object.
SeriesLabels LabelsOf(const Event& event, Scope scope);

// Whether counting has this Event, whose labels these are.
bool IsCounted(const EventFilter& filter, const SeriesLabels& labels,
               const Event& event);

// Whether counting has Events with these labels, about some object.
bool IsCounted(const EventFilter& filter, const SeriesLabels& labels);

// Which of at most 32 sinks with these filters get an occurrence: a mask. It is
// the same for an Event and for the Occurrence that a queue keeps of it, each
// with its labels.
uint32_t MatchSinks(const std::vector<SharedFilter>& filters,
                    const SeriesLabels& labels, const Event& event);

}  // namespace kem
