// What the pipeline makes of an occurrence for the Outbox. Used by the tests of
// queues and sinks. Takes all of the occurrence; MakeEntry takes an Event,
// which has no joined parts.
#pragma once

#include "occurrences/occurrence.h"

namespace kem {

inline OutboxEntryPtr EntryOf(const Occurrence& occurrence) {
  return OutboxEntryPtr::Copy(EncodeOccurrence(occurrence));
}

}  // namespace kem
