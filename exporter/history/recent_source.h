// An EventSource over the memory of the last hour
// (occurrences/recent_events.h): what API and pages show without a history. It
// has Events of cluster-scoped objects only. Keeps nothing itself.
#pragma once

#include <functional>

#include "base/clock.h"
#include "history/event_source.h"
#include "occurrences/recent_events.h"

namespace kem {

// Jumps are at the start of their minute.
FoundEvent FoundOf(RecentEvent from);

class RecentSource : public EventSource {
 public:
  // `view` copies the memory; it takes the lock that it needs. `clock` must
  // outlive this. `known_since` is what KnownSince returns.
  RecentSource(std::function<RecentEvents::View()> view,
               std::function<WallTime()> known_since)
      : view_(std::move(view)), known_since_(std::move(known_since)) {}

  // Pages are stable: an Event that occurs again moves to the first page, and
  // appears on no page after the one that is read.
  Result<FoundEvents> FindEvents(const EventQuery& query,
                                 const std::stop_token& stop) override;
  Result<FoundObjects> FindObjects(const EventQuery& query,
                                   const std::stop_token& stop) override;
  WallTime KnownSince() override { return known_since_(); }

 private:
  // The Events that match all but the cursor and the limit.
  Result<std::vector<FoundEvent>> Match(const EventQuery& query,
                                        const std::stop_token& stop) const;

  const std::function<RecentEvents::View()> view_;
  const std::function<WallTime()> known_since_;
};

}  // namespace kem
