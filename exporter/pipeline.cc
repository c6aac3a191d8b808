#include "pipeline.h"

#include "events/cluster_kinds.h"

namespace kem {
namespace {

// core/v1 takes any text as type (k8s.io/kubernetes
// pkg/apis/core/validation/events.go checks new-style Events only).
std::string_view TypeLabel(std::string_view type) {
  return type == "Normal" || type == "Warning" ? type : "other";
}

bool ClusterScoped(const Sighting& sighting) {
  return sighting.series.object != SeriesIds::kNone;
}

}  // namespace

Pipeline::Pipeline(EventWorld& world, const std::string& watch,
                   const Clock& clock, std::stop_token stop)
    : world_(world),
      clock_(clock),
      stop_(std::move(stop)),
      watch_(world.ledger.FindWatch(watch)) {}

void Pipeline::BeginList() {
  staged_.clear();
  staged_recent_ = RecentEvents();
}

bool Pipeline::StageItem(std::string_view item) {
  Event event;
  if (!decoder_.DecodeItem(item, event)) return false;
  Sighting sighting = Identify(event);
  Guard guard(world_.mutex);
  sighting.series = FindSeries(event, guard);
  staged_.push_back(sighting);
  if (ClusterScoped(sighting)) {
    staged_recent_.Observe(sighting.key, event, 0, clock_.WallNow());
  }
  return true;
}

void Pipeline::CommitList(const ListCommit& commit) {
  const Guard guard(world_.mutex);
  world_.ledger.Commit(watch_, staged_, commit, clock_.SteadyNow(),
                       [&](const Sighting& sighting, const Change& change) {
                         if (ClusterScoped(sighting)) {
                           staged_recent_.Add(sighting.key, change.delta);
                         }
                       });
  world_.recent.Absorb(staged_recent_, clock_.WallNow());
  std::deque<Sighting>().swap(staged_);
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
      world_.ledger.Progress(watch_, info.resource_version, clock_.SteadyNow());
      return info;
    }
    default:
      return info;
  }
  Sighting sighting = Identify(event);
  Guard guard(world_.mutex);
  Change change;
  if (info.type == FrameType::kDeleted) {
    change = world_.ledger.Remove(watch_, sighting, clock_.SteadyNow());
  } else {
    sighting.series = FindSeries(event, guard);
    change = world_.ledger.Observe(watch_, sighting, clock_.SteadyNow());
    const WallTime wall = clock_.WallNow();
    if (change.delta > 0) {
      world_.occurrences.lag.Observe(wall - event.occurred_at);
    }
    if (ClusterScoped(sighting) && !change.replay) {
      world_.recent.Observe(sighting.key, event, change.delta, wall);
    }
  }
  if (change.replay) world_.session.Count(DropReason::kReplay);
  PublishSizes();
  return info;
}

Sighting Pipeline::Identify(const Event& event) {
  // "/" stands in no namespace name, so it parts the two without doubt.
  scratch_.assign(event.event_namespace).append("/").append(event.name);
  Sighting sighting;
  sighting.key = hash_(scratch_);
  sighting.uid = hash_(event.uid).low;
  sighting.resource_version = event.resource_version;
  sighting.identity_time = event.identity_time;
  sighting.occurred_at = event.occurred_at;
  sighting.count = event.count;
  sighting.combined = event.combined;
  return sighting;
}

SeriesIds Pipeline::FindSeries(const Event& event, Guard& guard) {
  const bool has_namespace = !event.object_namespace.empty();
  std::optional<ScopeDecision> decision =
      world_.scopes.TryResolve(event.api_version, event.kind, has_namespace);
  if (!decision) {
    world_.scopes.Refresh(guard, stop_);
    decision =
        world_.scopes.Resolve(event.api_version, event.kind, has_namespace);
  }
  SeriesLabels labels;
  labels.scope = decision->scope;
  labels.api_group = ApiGroup(event.api_version);
  labels.kind = event.kind;
  if (decision->scope == Scope::kCluster) {
    labels.object_name = event.object_name;
  } else {
    // A namespaced object whose writer left its namespace out is in the
    // Event's: the API server would not have taken it elsewhere.
    labels.object_namespace =
        has_namespace ? event.object_namespace : event.event_namespace;
  }
  labels.reason = event.reason;
  labels.type = TypeLabel(event.type);
  labels.reporting_component = event.reporting_component;
  return world_.ledger.Intern(labels);
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
}

}  // namespace kem
