#include "pipeline/pipeline.h"

#include <algorithm>

#include "events/cluster_kinds.h"

namespace kem {
namespace {

std::chrono::milliseconds ExpiryInterval(std::chrono::seconds retention) {
  using std::chrono::milliseconds;
  const milliseconds longest = std::chrono::minutes(1);
  if (retention.count() == 0) return longest;
  return std::min(milliseconds(retention) / 4, longest);
}

bool ClusterScoped(const Sighting& sighting) {
  return sighting.series.object != SeriesIds::kNone;
}

Occurrence Told(const Event& event, const Sighting& sighting, uint32_t delta) {
  Occurrence occurrence = Occurrence::Of(event);
  occurrence.scope =
      ClusterScoped(sighting) ? Scope::kCluster : Scope::kNamespaced;
  occurrence.delta = delta;
  return occurrence;
}

// Of an Event, or of an Occurrence.
template <typename Teller>
SeriesLabels LabelsOf(const Teller& told, Scope scope) {
  SeriesLabels labels;
  labels.scope = scope;
  labels.api_group = ApiGroup(told.api_version);
  labels.kind = told.kind;
  if (scope == Scope::kCluster) {
    labels.object_name = told.object_name;
  } else {
    // A namespaced object whose writer left its namespace out is in the
    // Event's: the API server would not have taken it elsewhere.
    labels.object_namespace = told.object_namespace.empty()
                                  ? told.event_namespace
                                  : told.object_namespace;
  }
  labels.reason = told.reason;
  labels.type = TypeLabel(told.type);
  labels.reporting_component = told.reporting_component;
  return labels;
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

Pipeline::Pipeline(EventWorld& world, const std::string& watch,
                   const Clock& clock, std::stop_token stop)
    : world_(world),
      clock_(clock),
      stop_(std::move(stop)),
      watch_(world.ledger.FindWatch(watch)),
      list_filter_(world.filter) {
  // The API server left out others until now, of which nothing is known: what
  // is listed next counts nothing.
  if (watch_.choice.selector != list_filter_->selection().ForCore()) {
    watch_.has_baseline = false;
  }
  if (watch_.has_baseline) watch_filter_ = list_filter_;
}

bool Pipeline::FilterChanged() const {
  return watch_.has_baseline && watch_.choice.filter != list_filter_->Text();
}

std::optional<Resumption> Pipeline::resumption() const {
  if (!watch_.has_baseline) return std::nullopt;
  return Resumption{watch_.point,
                    std::max(watch_.whole_until, watch_.point.newest_at())};
}

void Pipeline::LearnKinds() {
  Guard guard(world_.mutex);
  world_.scopes.Refresh(guard, stop_);
  PresetReasons();
}

void Pipeline::BeginList() {
  const Guard guard(world_.mutex);
  DropStaged();
  staged_recent_ = RecentEvents();
  staged_offers_.Clear();
  staged_for_ = world_.sink_filters;
  list_filter_ = world_.filter;
}

std::vector<std::string> Pipeline::Selectors() const {
  const Selection& selection = list_filter_->selection();
  return {selection.ForCore(), selection.ForEvents()};
}

void Pipeline::DropStaged() {
  if (staged_.empty()) return;
  std::deque<Sighting>().swap(staged_);
  --world_.staged_lists;
}

bool Pipeline::StageItem(std::string_view item) {
  Event event;
  if (!decoder_.DecodeItem(item, event)) return false;
  Sighting sighting = Identify(event);
  // Its past was hidden from us, so it is no news.
  sighting.unwatched =
      watch_filter_ != nullptr &&
      !watch_filter_->selection().Matches(event.kind, event.reason, event.type);
  Guard guard(world_.mutex);
  const Place place = FindPlace(event, list_filter_.get(), guard);
  sighting.series = place.series;
  if (place.sinks != 0 && watch_.has_baseline && !sighting.unwatched) {
    // Only this thread changes the tracker, so the commit will find the same.
    const uint32_t delta = watch_.tracker.Preview(sighting);
    if (delta > 0) {
      staged_offers_.Add(place.sinks, Told(event, sighting, delta));
    }
  }
  if (staged_.empty()) ++world_.staged_lists;
  staged_.push_back(sighting);
  if (ClusterScoped(sighting)) {
    staged_recent_.Observe(sighting.key, event, 0, clock_.WallNow());
  }
  return true;
}

void Pipeline::CommitList(const ListCommit& commit) {
  const Guard guard(world_.mutex);
  world_.ledger.Commit(
      watch_, staged_, commit,
      {list_filter_->selection().ForCore(), list_filter_->Text()}, clock_.Now(),
      [&](const Sighting& sighting, const Change& change) {
        if (ClusterScoped(sighting)) {
          staged_recent_.Add(sighting.key, change.delta);
        }
      });
  if (commit.new_epoch) staged_offers_.Clear();
  const bool others = staged_for_ != world_.sink_filters;
  staged_offers_.Take([&](uint32_t sinks, std::string bytes) {
    const auto told = DecodeOccurrence(bytes);
    if (!told) return world_.ledger.Drop(sinks);
    if (others) sinks = WantedBy(LabelsOf(*told, told->scope));
    if (sinks != 0) world_.ledger.Offer(sinks, std::move(bytes));
  });
  world_.wake_sinks();
  world_.recent.Absorb(staged_recent_, clock_.WallNow());
  watch_filter_ = list_filter_;
  DropStaged();
  world_.presets.TryAgain();  // the filter may have changed
  PresetReasons();
  PublishSizes();
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
      world_.ledger.Progress(watch_, info.resource_version, now);
      world_.ExpireSeries(now);  // a quiet watch has one each minute
      return info;
    }
    default:
      return info;
  }
  Sighting sighting = Identify(event);
  Guard guard(world_.mutex);
  const bool deleted = info.type == FrameType::kDeleted;
  Place place;
  if (!deleted) place = FindPlace(event, nullptr, guard);
  sighting.series = place.series;
  const Moment now = clock_.Now();
  Change change;
  if (deleted) {
    change = world_.ledger.Remove(watch_, sighting, now);
  } else {
    change = world_.ledger.Observe(watch_, sighting, now);
    if (change.delta > 0 && sighting.series.tuple != SeriesIds::kNone) {
      world_.occurrences.lag.Observe(now.wall - event.occurred_at);
      world_.ledger.Note(sighting.series, event.event_namespace, event.name,
                         event.occurred_at);
      if (place.sinks != 0) {
        world_.ledger.Offer(
            place.sinks, EncodeOccurrence(Told(event, sighting, change.delta)));
        world_.wake_sinks();
      }
    }
    if (ClusterScoped(sighting) && !change.replay) {
      world_.recent.Observe(sighting.key, event, change.delta, now.wall);
    }
  }
  if (change.replay) world_.session.Count(DropReason::kReplay);
  PublishSizes();
  world_.ExpireSeries(now);
  return info;
}

Sighting Pipeline::Identify(const Event& event) {
  // "/" stands in no namespace name, so it parts the two without doubt.
  scratch_.assign(event.event_namespace).append("/").append(event.name);
  Sighting sighting;
  sighting.key = world_.ledger.hash()(scratch_);
  sighting.uid = world_.ledger.hash()(event.uid).low;
  sighting.resource_version = event.resource_version;
  sighting.identity_time = event.identity_time;
  sighting.occurred_at = event.occurred_at;
  sighting.count = event.count;
  sighting.combined = event.combined;
  return sighting;
}

Pipeline::Place Pipeline::FindPlace(const Event& event,
                                    const EventFilter* filter, Guard& guard) {
  // No filter lets it through. Its scope is not asked for: the namespace that
  // it names for its object is where it was put, and no conflict.
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
  if (!filter->Passes(labels.scope, labels.object_namespace, labels.kind,
                      labels.reason, labels.type, labels.reporting_component)) {
    return {};
  }
  return {world_.ledger.Intern(labels), WantedBy(labels)};
}

uint32_t Pipeline::WantedBy(const SeriesLabels& labels) const {
  uint32_t sinks = 0;
  for (size_t i = 0; i < world_.sink_filters.size(); ++i) {
    if (world_.sink_filters[i]->Passes(labels.scope, labels.object_namespace,
                                       labels.kind, labels.reason, labels.type,
                                       labels.reporting_component)) {
      sinks |= uint32_t{1} << i;
    }
  }
  return sinks;
}

void Pipeline::PresetReasons() {
  // Before the first list nothing is shown at all.
  if (!watch_.has_baseline || !world_.preset_reasons) return;
  const Moment now = clock_.Now();
  world_.presets.Update(world_.scopes, [&](const SeriesLabels& labels) {
    if (!world_.filter->Passes(labels.scope, labels.object_namespace,
                               labels.kind, labels.reason, labels.type,
                               labels.reporting_component)) {
      return false;
    }
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
  publish(world_.occurrences.tracked, watch_.tracker.live(), published_live_);
  publish(world_.occurrences.tombstones, watch_.tracker.tombstones(),
          published_tombstones_);
  world_.occurrences.combined = world_.ledger.combined();
  world_.occurrences.filtered = world_.ledger.filtered();
}

}  // namespace kem
