// From an Event's JSON to its series: decode it, find its scope and series, and
// give it to the ledger, which counts what is new. Each reflector has a
// Pipeline as its handler; all share one EventWorld, which scrapes read. Calls
// the API server for discovery only.
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
#include "events/scope_claims.h"
#include "occurrences/event_tracker.h"
#include "occurrences/occurrence.h"
#include "occurrences/outbox.h"
#include "occurrences/recent_events.h"
#include "occurrences/staged_offers.h"
#include "pipeline/event_labels.h"
#include "pipeline/reason_presets.h"
#include "reflector/object_handler.h"
#include "reflector/session_stats.h"
#include "state/ledger.h"

namespace kem {

// What pipelines and scrapes share.
struct EventWorld {
  EventWorld(const Discovery& discovery, const Clock& clock,
             std::chrono::seconds retention, Ledger& counted);

  // Removes idle series, once a minute at most, and never while a list is
  // staged: its sightings hold numbers of series that nothing protects. Needs
  // `mutex`.
  void ExpireSeries(const Moment& now);

  const std::chrono::milliseconds expiry_interval;
  std::mutex& mutex;      // the ledger's
  ScopeResolver scopes;   // guarded by mutex
  ClaimLog claim_log;     // guarded by mutex
  Ledger& ledger;         // guarded by mutex
  ReasonPresets presets;  // guarded by mutex
  // False when the namespace with the Events of cluster-scoped objects is not
  // watched: a 0 would mean that nothing happened. Set before the first list.
  bool preset_reasons = true;
  RecentEvents recent;     // guarded by mutex
  SteadyTime next_expiry;  // guarded by mutex
  int staged_lists = 0;    // guarded by mutex
  // Guarded by mutex, never null. After a change each reflector must list.
  SharedFilter filter = std::make_shared<const EventFilter>(FilterOptions());
  // Which occurrences each sink of the ledger's outbox gets, in the outbox's
  // order. Guarded by mutex.
  std::vector<SharedFilter> sink_filters;
  // Called under mutex when the outbox got something.
  std::function<void()> wake_sinks = [] {};
  SessionStats session;
  OccurrenceStats occurrences;
};

// Owned by one reflector's thread, except for the world.
class Pipeline : public ObjectHandler {
 public:
  // All must outlive this. `collection` is the name that the ledger knows what
  // is watched by. `stop` ends a wait for discovery.
  Pipeline(EventWorld& world, const std::string& collection, const Clock& clock,
           std::stop_token stop);

  // When an earlier process left a resume point: until when nothing was missed.
  std::optional<SteadyTime> ResumedWholeUntil() const;
  // Whether that process had another filter, so that kube_event_active is
  // right only after a list.
  bool FilterChanged() const;
  // The watch is in contact. Needs the world's mutex.
  void NoteContact(SteadyTime now) {
    world_.ledger.NoteContact(collection_, now);
  }
  // Runs discovery. Without it the first Events would be of unknown scope.
  void LearnKinds();

  void BeginList() override;
  std::vector<std::string> Selectors() const override;
  std::optional<WallTime> StageItem(std::string_view item) override;
  void CommitList(const ListCommit& commit) override;
  FrameInfo ApplyFrame(std::string_view frame) override {
    Event event;
    return ApplyFrame(frame, event);
  }
  // Also returns the Event, as EventDecoder::DecodeFrame. Its views are valid
  // until the next call.
  FrameInfo ApplyFrame(std::string_view frame, Event& event);
  const ResumePoint& resume_point() const override { return collection_.point; }
  void NoteServerTime(WallTime now) override;

 private:
  using Guard = std::unique_lock<std::mutex>;

  // Where an Event is counted.
  struct Route {
    SeriesIds series;
    SeriesLabels labels;  // of an Event that is counted
    bool log_claim = false;
  };

  // One list from its first page to its commit, before which nothing of it is
  // exposed.
  struct StagedList {
    SharedFilter filter;  // that the list began with
    // The sinks that the masks of offers are about.
    std::vector<SharedFilter> sinks = {};
    std::vector<std::string> sink_names = {};
    std::deque<Sighting> sightings = {};
    RecentEvents recent = {};
    StagedOffers offers = {};
  };

  // With the API server's wall clock when this machine's is behind it: no
  // Event is from the future only because of that.
  Moment Now() const;
  Sighting Identify(const Event& event);
  // `filter` is null for the world's. Changes an Event whose claim is not
  // trusted to one about an object of its own namespace.
  Route FindRoute(Event& event, const EventFilter* filter, Guard& guard);
  // Whether the Event counts as one about a cluster-scoped object, which it is
  // about.
  bool TrustClaim(const Event& event, const EventFilter& filter);
  // Needs the world's mutex.
  void Offer(const Event& event, const SeriesLabels& labels, uint32_t delta);
  void DropStaged();
  void OfferStaged();
  uint32_t MaskNow(uint32_t staged) const;
  void PresetReasons();
  void PublishSizes();
  void NoteLowerBound(const Sighting& sighting, const Change& change);
  void LogLowerBounds();

  EventWorld& world_;
  const Clock& clock_;
  const std::stop_token stop_;
  EventDecoder decoder_;
  Ledger::Collection& collection_;  // guarded by world_.mutex
  // How far this machine's clock is behind the API server's, at least.
  std::chrono::microseconds behind_{0};
  StagedList staged_;
  // Of the last committed list. Its selection narrows the watch.
  SharedFilter watch_filter_;
  std::string scratch_;
  uint64_t lower_bounds_ = 0;  // since the last list
  int64_t published_live_ = 0;
  int64_t published_tombstones_ = 0;
};

}  // namespace kem
