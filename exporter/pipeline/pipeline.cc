#include "pipeline/pipeline.h"

#include <algorithm>

#include "base/log.h"
#include "base/utf8.h"

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

bool BeginsInTheFuture(const Event& event, const Moment& now) {
  return event.first_seen > now.wall + kMaxAhead;
}

// Call without the world's mutex: writing a log line may block.
void LogUntrusted(const Event& event) {
  constexpr size_t kMax = 256;
  const auto cut = [](std::string_view text) { return CutUtf8(text, kMax); };
  LogWarn(
      "An Event outside the trusted namespaces is about a cluster-scoped "
      "object, counting it as namespaced",
      {{"namespace", cut(event.event_namespace)},
       {"event", cut(event.name)},
       {"kind", cut(event.kind)},
       {"object", cut(event.object_name)},
       {"reason", cut(event.reason)},
       {"reporting_component", cut(event.reporting_component)},
       {"option", "--scope.trusted-namespaces"}});
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

void Pipeline::NoteServerTime(WallTime now) {
  behind_ = std::max(now - clock_.WallNow(), std::chrono::microseconds(0));
}

Moment Pipeline::Now() const {
  Moment now = clock_.Now();
  now.wall += behind_;
  return now;
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
  const Outbox& outbox = world_.ledger.outbox();
  for (size_t i = 0; i < outbox.sinks(); ++i) {
    staged_.sink_names.push_back(outbox.sink(i).name);
  }
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
  staged_.offers.Take([&](uint32_t sinks, const OutboxEntryPtr& entry) {
    if (replaced && !entry) sinks = MaskNow(sinks);
    if (replaced && entry) {
      const auto occurrence = DecodeOccurrence(entry->bytes);
      sinks = occurrence ? MatchSinks(world_.sink_filters,
                                      LabelsOf(*occurrence, occurrence->scope),
                                      *occurrence)
                         : 0;
    }
    if (sinks == 0) return;
    if (!entry) return world_.ledger.Drop(sinks);
    world_.ledger.Offer(sinks, entry);
  });
}

// The mask of the same sinks now, without those that are gone.
uint32_t Pipeline::MaskNow(uint32_t staged) const {
  uint32_t now = 0;
  for (size_t i = 0; i < staged_.sink_names.size(); ++i) {
    if ((staged >> i & 1) == 0) continue;
    const auto index = world_.ledger.outbox().Find(staged_.sink_names[i]);
    if (index) now |= uint32_t{1} << *index;
  }
  return now;
}

std::optional<WallTime> Pipeline::StageItem(std::string_view item) {
  Event event;
  if (!decoder_.DecodeItem(item, event)) return {};
  Sighting sighting = Identify(event);
  sighting.undated = BeginsInTheFuture(event, Now());
  // The watch left it out, so its past is no news.
  sighting.unwatched =
      watch_filter_ != nullptr && !watch_filter_->selection().Matches(event);
  Guard guard(world_.mutex);
  const Route route = FindRoute(event, staged_.filter.get(), guard);
  sighting.series = route.series;
  if (staged_.sightings.empty()) ++world_.staged_lists;
  staged_.sightings.push_back(sighting);
  // The commit finds the same, because only this thread changes the tracker.
  const uint32_t delta = collection_.has_baseline && !sighting.unwatched
                             ? collection_.tracker.Preview(sighting)
                             : 0;
  if (IsClusterScoped(sighting)) {
    staged_.recent.Observe(sighting.key, event, delta, clock_.WallNow());
  }
  if (delta > 0 && sighting.series.tuple != SeriesIds::kNone) {
    const uint32_t sinks = MatchSinks(staged_.sinks, route.labels, event);
    if (sinks != 0) {
      staged_.offers.Add(sinks, event, route.labels.scope, delta);
    }
  }
  guard.unlock();
  if (route.log_claim) LogUntrusted(event);
  return event.created;
}

void Pipeline::CommitList(const ListCommit& commit) {
  const Guard guard(world_.mutex);
  const EventFilter& filter = *staged_.filter;
  world_.ledger.Commit(collection_, staged_.sightings, commit,
                       {filter.selection().ForCore(), filter.Text()}, Now(),
                       [this](const Sighting& sighting, const Change& change) {
                         NoteLowerBound(sighting, change);
                       });
  LogLowerBounds();
  if (!commit.new_epoch) OfferStaged();
  world_.wake_sinks();
  world_.recent.Absorb(staged_.recent, commit.new_epoch, clock_.WallNow());
  watch_filter_ = staged_.filter;
  DropStaged();
  world_.presets.TryAgain();  // the filter may have changed
  PresetReasons();
  PublishSizes();
}

FrameInfo Pipeline::ApplyFrame(std::string_view frame, Event& event) {
  FrameInfo info = decoder_.DecodeFrame(frame, event);
  switch (info.type) {
    case FrameType::kAdded:
    case FrameType::kModified:
    case FrameType::kDeleted:
      break;
    case FrameType::kBookmark: {
      const Guard guard(world_.mutex);
      const Moment now = Now();
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
  const Moment now = Now();
  sighting.undated = BeginsInTheFuture(event, now);
  Change change;
  if (deleted) {
    change = world_.ledger.Remove(collection_, sighting, now);
  } else {
    change = world_.ledger.Observe(collection_, sighting, now);
    NoteLowerBound(sighting, change);
    if (change.delta > 0 && sighting.series.tuple != SeriesIds::kNone) {
      world_.occurrences.lag.Observe(now.wall - event.occurred_at);
      world_.ledger.Note(sighting.series, event.event_namespace, event.name,
                         LimitAhead(event.occurred_at, now.wall));
      Offer(event, route.labels, change.delta);
    }
    if (IsClusterScoped(sighting) && !change.replay) {
      // By this machine's clock, as the page.
      world_.recent.Observe(sighting.key, event, change.delta,
                            now.wall - behind_);
    }
  }
  if (change.replay) world_.session.Count(DropReason::kReplay);
  PublishSizes();
  world_.ExpireSeries(now);
  guard.unlock();
  if (route.log_claim) LogUntrusted(event);
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

Pipeline::Route Pipeline::FindRoute(Event& event, const EventFilter* filter,
                                    Guard& guard) {
  // A mirrored Event passes no filter. Its scope is not resolved: the namespace
  // that it gives its object is the target's, and no claim.
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
  // Only now: finding the scope may have released the mutex.
  if (filter == nullptr) filter = world_.filter.get();
  Route route;
  Scope scope = decision->scope;
  if (scope == Scope::kCluster && !TrustClaim(event, *filter)) {
    scope = Scope::kNamespaced;
    event.object_namespace = event.event_namespace;
    route.log_claim =
        world_.claim_log.Takes(event.event_namespace, clock_.SteadyNow());
  } else if (event.object_namespace != event.event_namespace && has_namespace &&
             !filter->Trusts(event.event_namespace)) {
    // An Event with an eventTime may name any namespace for its object
    // (k8s.io/kubernetes v1.37.2 pkg/apis/core/validation/events.go).
    event.object_namespace = event.event_namespace;
  }
  route.labels = LabelsOf(event, scope);
  if (IsCounted(*filter, route.labels, event)) {
    route.series = world_.ledger.Intern(route.labels);
  }
  return route;
}

bool Pipeline::TrustClaim(const Event& event, const EventFilter& filter) {
  const bool trusted = filter.Trusts(event.event_namespace);
  if (!trusted || !event.object_namespace.empty()) {
    const auto result =
        trusted ? ClaimResult::kTrusted : ClaimResult::kUntrusted;
    ++world_.occurrences.claims[static_cast<size_t>(result)];
  }
  return trusted;
}

void Pipeline::Offer(const Event& event, const SeriesLabels& labels,
                     uint32_t delta) {
  const uint32_t sinks = MatchSinks(world_.sink_filters, labels, event);
  if (sinks == 0) return;
  world_.ledger.Offer(sinks, MakeEntry(event, labels.scope, delta));
  world_.wake_sinks();
}

void Pipeline::PresetReasons() {
  // Nothing is exposed before the first list.
  if (!collection_.has_baseline || !world_.preset_reasons) return;
  const Moment now = Now();
  world_.presets.Update(world_.scopes, [&](const SeriesLabels& labels) {
    if (!IsCounted(*world_.filter, labels)) return false;
    world_.ledger.Preset(labels, now);
    return true;
  });
}

void Pipeline::NoteLowerBound(const Sighting& sighting, const Change& change) {
  if (!change.at_least || sighting.series.tuple == SeriesIds::kNone) return;
  ++lower_bounds_;
  ++world_.occurrences.lower_bounds;
}

void Pipeline::LogLowerBounds() {
  if (lower_bounds_ == 0) return;
  LogInfo("Counted Events with an unknown past as at least one occurrence each",
          {{"watch",
            collection_.name.empty() ? "all namespaces" : collection_.name},
           {"events", lower_bounds_}});
  lower_bounds_ = 0;
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
