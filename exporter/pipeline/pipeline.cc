#include "pipeline/pipeline.h"

#include <algorithm>

#include "events/cluster_kinds.h"

namespace kem {
namespace {

// Only these have a series by object.
bool IsClusterScoped(const Sighting& sighting) {
  return sighting.series.object != SeriesIds::kNone;
}

std::chrono::milliseconds ExpiryInterval(std::chrono::seconds retention) {
  using std::chrono::milliseconds;
  const milliseconds longest = std::chrono::minutes(1);
  if (retention.count() == 0) return longest;
  return std::min(milliseconds(retention) / 4, longest);
}

Occurrence OccurrenceOf(const Event& event, const Sighting& sighting,
                        uint32_t delta) {
  Occurrence occurrence{event};
  occurrence.scope =
      IsClusterScoped(sighting) ? Scope::kCluster : Scope::kNamespaced;
  occurrence.delta = delta;
  return occurrence;
}

SeriesLabels LabelsOf(const Event& event, Scope scope) {
  SeriesLabels labels;
  labels.scope = scope;
  labels.api_group = ApiGroup(event.api_version);
  labels.kind = event.kind;
  if (scope == Scope::kCluster) {
    labels.object_name = event.object_name;
  } else {
    // An empty namespace of a namespaced object means the Event's: the API
    // server takes the Event nowhere else.
    labels.object_namespace = event.object_namespace.empty()
                                  ? event.event_namespace
                                  : event.object_namespace;
  }
  labels.reason = event.reason;
  labels.type = TypeLabel(event.type);
  labels.reporting_component = event.reporting_component;
  return labels;
}

bool Passes(const EventFilter& filter, const SeriesLabels& labels) {
  return filter.Passes(labels.scope, labels.object_namespace, labels.kind,
                       labels.reason, labels.type, labels.reporting_component);
}

}  // namespace

EventWorld::EventWorld(const Discovery& discovery, const Clock& clock,
                       std::chrono::seconds retention, Ledger& counted)
    : expiry_interval(ExpiryInterval(retention)),
      mutex(counted.mutex()),
      scopes(discovery, clock),
      ledger(counted) {}

void EventWorld::ExpireSeries(const Moment& now) {
  if (now.steady < next_expiry || staged_lists > 0) return;
  next_expiry = now.steady + expiry_interval;
  ledger.Expire(now);
}

Pipeline::Pipeline(EventWorld& world, const std::string& collection,
                   const Clock& clock, std::stop_token stop)
    : world_(world),
      clock_(clock),
      stop_(std::move(stop)),
      collection_(world.ledger.FindCollection(collection)),
      staged_{world.filter} {
  // The API server left out other Events until now. Nothing is known of them,
  // so the next list counts nothing.
  if (collection_.has_baseline &&
      collection_.choice.selector != world.filter->selection().ForCore()) {
    const std::lock_guard guard(world.mutex);
    world.ledger.ForgetBaseline(collection_);
  }
  if (collection_.has_baseline) watch_filter_ = world.filter;
}

bool Pipeline::FilterChanged() const {
  return collection_.has_baseline &&
         collection_.choice.filter != staged_.filter->Text();
}

std::optional<SteadyTime> Pipeline::ResumedWholeUntil() const {
  if (!collection_.has_baseline) return std::nullopt;
  return std::max(collection_.whole_until, collection_.point.newest_at());
}

void Pipeline::LearnKinds() {
  Guard guard(world_.mutex);
  world_.scopes.Refresh(guard, stop_);
  PresetReasons();
}

void Pipeline::BeginList() {
  const Guard guard(world_.mutex);
  DropStaged();
  staged_ = {world_.filter, world_.sink_filters};
}

std::vector<std::string> Pipeline::Selectors() const {
  const Selection& selection = staged_.filter->selection();
  return {selection.ForCore(), selection.ForEvents()};
}

void Pipeline::DropStaged() {
  if (!staged_.sightings.empty()) --world_.staged_lists;
  staged_ = StagedList{staged_.filter};
}

void Pipeline::OfferStaged() {
  // A reload may have replaced the sinks.
  const bool replaced = staged_.sinks != world_.sink_filters;
  staged_.offers.Take([&](uint32_t sinks, std::string bytes) {
    if (replaced && !bytes.empty()) {
      const auto occurrence = DecodeOccurrence(bytes);
      sinks =
          occurrence ? MatchSinks(LabelsOf(*occurrence, occurrence->scope)) : 0;
    }
    if (sinks == 0) return;
    if (bytes.empty()) return world_.ledger.Drop(sinks);
    world_.ledger.Offer(sinks, std::move(bytes));
  });
}

bool Pipeline::StageItem(std::string_view item) {
  Event event;
  if (!decoder_.DecodeItem(item, event)) return false;
  Sighting sighting = Identify(event);
  // The watch left it out, so its past is no news.
  sighting.unwatched =
      watch_filter_ != nullptr &&
      !watch_filter_->selection().Matches(event.kind, event.reason, event.type);
  Guard guard(world_.mutex);
  const Route route = FindRoute(event, staged_.filter.get(), guard);
  sighting.series = route.series;
  if (staged_.sightings.empty()) ++world_.staged_lists;
  staged_.sightings.push_back(sighting);
  if (IsClusterScoped(sighting)) {
    staged_.recent.Observe(sighting.key, event, 0, clock_.WallNow());
  }
  if (route.sinks == 0 || !collection_.has_baseline || sighting.unwatched) {
    return true;
  }
  // The commit finds the same, because only this thread changes the tracker.
  const uint32_t delta = collection_.tracker.Preview(sighting);
  if (delta > 0) {
    staged_.offers.Add(route.sinks, OccurrenceOf(event, sighting, delta));
  }
  return true;
}

void Pipeline::CommitList(const ListCommit& commit) {
  const Guard guard(world_.mutex);
  const EventFilter& filter = *staged_.filter;
  world_.ledger.Commit(collection_, staged_.sightings, commit,
                       {filter.selection().ForCore(), filter.Text()},
                       clock_.Now(),
                       [this](const Sighting& sighting, const Change& change) {
                         if (!IsClusterScoped(sighting)) return;
                         staged_.recent.Add(sighting.key, change.delta);
                       });
  if (!commit.new_epoch) OfferStaged();
  world_.wake_sinks();
  world_.recent.Absorb(staged_.recent, clock_.WallNow());
  watch_filter_ = staged_.filter;
  DropStaged();
  world_.presets.TryAgain();  // the filter may have changed
  PresetReasons();
  PublishSizes();
}

void Pipeline::CompleteWatch() {
  const Guard guard(world_.mutex);
  world_.ledger.CompleteWatch(collection_);
}

FrameInfo Pipeline::ApplyFrame(std::string_view frame) {
  Event event;
  FrameInfo info = decoder_.DecodeFrame(frame, event);
  switch (info.type) {
    case FrameType::kAdded:
    case FrameType::kModified:
    case FrameType::kDeleted:
      break;
    case FrameType::kBookmark: {
      const Guard guard(world_.mutex);
      const Moment now = clock_.Now();
      world_.ledger.Progress(collection_, info.resource_version, now);
      world_.ExpireSeries(now);  // a quiet watch has one each minute
      return info;
    }
    default:
      return info;
  }
  Sighting sighting = Identify(event);
  Guard guard(world_.mutex);
  const bool deleted = info.type == FrameType::kDeleted;
  Route route;
  if (!deleted) route = FindRoute(event, nullptr, guard);
  sighting.series = route.series;
  const Moment now = clock_.Now();
  Change change;
  if (deleted) {
    change = world_.ledger.Remove(collection_, sighting, now);
  } else {
    change = world_.ledger.Observe(collection_, sighting, now);
    if (change.delta > 0 && sighting.series.tuple != SeriesIds::kNone) {
      world_.occurrences.lag.Observe(now.wall - event.occurred_at);
      world_.ledger.Note(sighting.series, event.event_namespace, event.name,
                         event.occurred_at);
      if (route.sinks != 0) {
        world_.ledger.Offer(route.sinks, EncodeOccurrence(OccurrenceOf(
                                             event, sighting, change.delta)));
        world_.wake_sinks();
      }
    }
    if (IsClusterScoped(sighting) && !change.replay) {
      world_.recent.Observe(sighting.key, event, change.delta, now.wall);
    }
  }
  if (change.replay) world_.session.Count(DropReason::kReplay);
  PublishSizes();
  world_.ExpireSeries(now);
  return info;
}

Sighting Pipeline::Identify(const Event& event) {
  // No namespace name contains "/", so the two parts are unambiguous.
  scratch_.assign(event.event_namespace).append("/").append(event.name);
  Sighting sighting;
  sighting.key = world_.ledger.hash()(scratch_);
  sighting.uid = world_.ledger.hash()(event.uid).low;
  sighting.resource_version = event.resource_version;
  sighting.identity_time = event.first_seen;
  sighting.occurred_at = event.occurred_at;
  sighting.count = event.count;
  sighting.combined = event.combined;
  return sighting;
}

Pipeline::Route Pipeline::FindRoute(const Event& event,
                                    const EventFilter* filter, Guard& guard) {
  // A mirrored Event passes no filter. Its scope is not resolved: the namespace
  // that it gives its object is the target's, and no conflict.
  if (event.reporting_component == kMirrorComponent) return {};
  const bool has_namespace = !event.object_namespace.empty();
  std::optional<ScopeDecision> decision =
      world_.scopes.TryResolve(event.api_version, event.kind, has_namespace);
  if (!decision) {
    world_.scopes.Refresh(guard, stop_);
    PresetReasons();
    decision =
        world_.scopes.Resolve(event.api_version, event.kind, has_namespace);
  }
  const SeriesLabels labels = LabelsOf(event, decision->scope);
  // Only now: finding the scope may have released the mutex.
  if (filter == nullptr) filter = world_.filter.get();
  if (!Passes(*filter, labels)) return {};
  return {world_.ledger.Intern(labels), MatchSinks(labels)};
}

uint32_t Pipeline::MatchSinks(const SeriesLabels& labels) const {
  uint32_t sinks = 0;
  for (size_t i = 0; i < world_.sink_filters.size(); ++i) {
    if (Passes(*world_.sink_filters[i], labels)) sinks |= uint32_t{1} << i;
  }
  return sinks;
}

void Pipeline::PresetReasons() {
  // Nothing is exposed before the first list.
  if (!collection_.has_baseline || !world_.preset_reasons) return;
  const Moment now = clock_.Now();
  world_.presets.Update(world_.scopes, [&](const SeriesLabels& labels) {
    if (!Passes(*world_.filter, labels)) return false;
    world_.ledger.Preset(labels, now);
    return true;
  });
}

void Pipeline::PublishSizes() {
  const auto publish = [](std::atomic<int64_t>& total, int64_t size,
                          int64_t& published) {
    if (size == published) return;
    total += size - published;
    published = size;
  };
  publish(world_.occurrences.tracked, collection_.tracker.live(),
          published_live_);
  publish(world_.occurrences.tombstones, collection_.tracker.tombstones(),
          published_tombstones_);
  world_.occurrences.combined = world_.ledger.combined();
  world_.occurrences.filtered = world_.ledger.filtered();
}

}  // namespace kem
