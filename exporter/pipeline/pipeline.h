// The way of an Event from JSON to series: decode, find its scope and its
// series, and hand it to the ledger, which counts what is new. Each reflector
// has a Pipeline as its handler; all of them share one EventWorld, which the
// scrape reads. Does not talk to the API server but for discovery's sake.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "events/event_decoder.h"
#include "events/event_filter.h"
#include "events/scope.h"
#include "occurrences/occurrence_stats.h"
#include "occurrences/recent_events.h"
#include "occurrences/staged_offers.h"
#include "pipeline/reason_presets.h"
#include "reflector/object_handler.h"
#include "reflector/reflector_options.h"
#include "reflector/session_stats.h"
#include "state/ledger.h"

namespace kem {

// What pipelines and scrapes share.
struct EventWorld {
  EventWorld(const Discovery& discovery, const Clock& clock,
             std::chrono::seconds retention, Ledger& counted);

  // Takes idle series, each minute at most, and never while a list is staged:
  // its items hold numbers of series that nothing protects. `mutex` must be
  // held.
  void ExpireSeries(const Moment& now);

  const std::chrono::milliseconds expiry_interval;
  std::mutex& mutex;      // the ledger's
  ScopeResolver scopes;   // guarded by mutex
  Ledger& ledger;         // guarded by mutex
  ReasonPresets presets;  // guarded by mutex
  // False where nobody watches the namespace of cluster-scoped objects' Events:
  // a 0 would say that nothing happened. Set before the first list.
  bool preset_reasons = true;
  RecentEvents recent;     // guarded by mutex
  SteadyTime next_expiry;  // guarded by mutex
  int staged_lists = 0;    // guarded by mutex
  // Guarded by mutex, never null. After a change each reflector must list.
  std::shared_ptr<const EventFilter> filter =
      std::make_shared<const EventFilter>(FilterOptions());
  // What each sink of the ledger's outbox wants of what is counted, in their
  // order. Guarded by mutex.
  std::vector<std::shared_ptr<const EventFilter>> sink_filters;
  // Called under mutex when something was put into the outbox.
  std::function<void()> wake_sinks = [] {};
  SessionStats session;
  OccurrenceStats occurrences;
};

// Owned by one reflector's thread, but for the world.
class Pipeline : public ObjectHandler {
 public:
  // All must outlive this. `watch` names what is watched, to find what is known
  // of it. `stop` ends a wait for discovery.
  Pipeline(EventWorld& world, const std::string& watch, const Clock& clock,
           std::stop_token stop);

  // What the reflector may go on from; empty when nothing is known.
  std::optional<Resumption> resumption() const;
  // Whether what it goes on from was sorted by another filter: who is active
  // is right again after a list.
  bool FilterChanged() const;
  // The API server has told everything until now. `mutex` must be held.
  void NoteContact(SteadyTime now) { watch_.whole_until = now; }
  // Asks discovery, for the first list or for what goes on from a state:
  // else its Events would be of unknown scope.
  void LearnKinds();

  void BeginList() override;
  std::vector<std::string> Selectors() const override;
  bool StageItem(std::string_view item) override;
  void CommitList(const ListCommit& commit) override;
  FrameInfo ApplyFrame(std::string_view frame) override;

 private:
  using Guard = std::unique_lock<std::mutex>;

  Sighting Identify(const Event& event);
  // Its series, and which sinks want it. `filter` is null for the world's
  // own.
  struct Place {
    SeriesIds series;
    uint32_t sinks = 0;
  };
  Place FindPlace(const Event& event, const EventFilter* filter, Guard& guard);
  uint32_t WantedBy(const SeriesLabels& labels) const;
  void DropStaged();
  void PresetReasons();
  void PublishSizes();

  EventWorld& world_;
  const Clock& clock_;
  const std::stop_token stop_;
  EventDecoder decoder_;
  Ledger::Watch& watch_;  // guarded by world_.mutex
  std::deque<Sighting> staged_;
  // Of the list under way: what it shows was before any later filter. And of
  // the last one committed, by whose selection the watch is narrowed.
  std::shared_ptr<const EventFilter> list_filter_;
  std::shared_ptr<const EventFilter> watch_filter_;
  RecentEvents staged_recent_;
  StagedOffers staged_offers_;
  // Whose masks these have. A reload may put other sinks in their place.
  std::vector<std::shared_ptr<const EventFilter>> staged_for_;
  std::string scratch_;
  int64_t published_live_ = 0;
  int64_t published_tombstones_ = 0;
};

}  // namespace kem
