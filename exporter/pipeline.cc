#include "pipeline.h"

#include "events/cluster_kinds.h"

namespace kem {
namespace {

// core/v1 takes any text as type (k8s.io/kubernetes
// pkg/apis/core/validation/events.go checks new-style Events only).
std::string_view TypeLabel(std::string_view type) {
  return type == "Normal" || type == "Warning" ? type : "other";
}

}  // namespace

void Pipeline::BeginList() { staged_.clear(); }

bool Pipeline::StageItem(std::string_view item) {
  Event event;
  if (!decoder_.DecodeItem(item, event)) return false;
  Sighting sighting = Identify(event);
  Guard guard(world_.mutex);
  sighting.series = FindSeries(event, guard);
  staged_.push_back(sighting);
  return true;
}

void Pipeline::CommitList(const ListCommit& commit) {
  const Guard guard(world_.mutex);
  const SteadyTime now = clock_.SteadyNow();
  tracker_.Replace(
      staged_, !has_baseline_ || commit.new_epoch, commit.server_time, now,
      [&](const Sighting& sighting, const Change& change) {
        Count(sighting, change, now);
      },
      [&](SeriesIds gone) { world_.series.Leave(gone); });
  has_baseline_ = true;
  std::deque<Sighting>().swap(staged_);
  PublishSizes();
}

FrameInfo Pipeline::ApplyFrame(std::string_view frame) {
  Event event;
  FrameInfo info = decoder_.DecodeFrame(frame, event);
  if (info.type != FrameType::kAdded && info.type != FrameType::kModified &&
      info.type != FrameType::kDeleted) {
    return info;
  }
  Sighting sighting = Identify(event);
  Guard guard(world_.mutex);
  Change change;
  if (info.type == FrameType::kDeleted) {
    change = tracker_.Remove(sighting, clock_.SteadyNow());
    if (change.left.tuple != SeriesIds::kNone) {
      world_.series.Leave(change.left);
    }
  } else {
    sighting.series = FindSeries(event, guard);
    const SteadyTime now = clock_.SteadyNow();
    change = tracker_.Observe(sighting, now);
    Count(sighting, change, now);
    if (change.delta > 0) {
      world_.occurrences.lag.Observe(clock_.WallNow() - event.occurred_at);
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
  return world_.series.Intern(labels);
}

void Pipeline::Count(const Sighting& sighting, const Change& change,
                     SteadyTime now) {
  if (change.replay) return;
  // The delta belongs to the labels that the Event has now.
  world_.series.Record(sighting.series, change.delta, sighting.occurred_at,
                       now);
  if (change.left != sighting.series) {
    if (change.left.tuple != SeriesIds::kNone) world_.series.Leave(change.left);
    world_.series.Join(sighting.series);
  }
  if (sighting.combined) world_.occurrences.combined += change.delta;
}

void Pipeline::PublishSizes() {
  const auto publish = [](std::atomic<int64_t>& total, int64_t size,
                          int64_t& published) {
    if (size == published) return;
    total += size - published;
    published = size;
  };
  publish(world_.occurrences.tracked, tracker_.live(), published_live_);
  publish(world_.occurrences.tombstones, tracker_.tombstones(),
          published_tombstones_);
}

}  // namespace kem
