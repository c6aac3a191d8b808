#include "occurrences/recent_events.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace kem {
namespace {

// Reuses the string's memory if it is enough, else allocates no more than
// needed.
void Assign(std::string& to, std::string_view from, size_t limit) {
  constexpr std::string_view kCut = "…";
  if (from.size() > limit) {
    to = std::string(CutUtf8(from, limit - kCut.size())).append(kCut);
  } else if (from.size() <= to.capacity()) {
    to.assign(from);
  } else {
    to = std::string(from);
  }
}

void CopyEvent(const Event& from, WallTime occurred_at, WallTime seen_at,
               RecentEvent& to) {
  Assign(to.uid, from.uid, RecentEvents::kMaxWord);
  Assign(to.event_namespace, from.event_namespace, RecentEvents::kMaxName);
  Assign(to.name, from.name, RecentEvents::kMaxName);
  Assign(to.api_version, from.api_version, RecentEvents::kMaxWord);
  Assign(to.kind, from.kind, RecentEvents::kMaxWord);
  Assign(to.object_name, from.object_name, RecentEvents::kMaxName);
  Assign(to.object_uid, from.object_uid, RecentEvents::kMaxWord);
  Assign(to.reason, from.reason, RecentEvents::kMaxWord);
  Assign(to.type, from.type, RecentEvents::kMaxWord);
  Assign(to.reporting_component, from.reporting_component,
         RecentEvents::kMaxWord);
  Assign(to.message, from.message, RecentEvents::kMaxMessage);
  to.count = from.count;
  to.first_seen = from.first_seen;
  to.occurred_at = occurred_at;
  to.seen_at = seen_at;
}

uint32_t MinuteOf(WallTime time) {
  return static_cast<uint32_t>(
      std::chrono::floor<std::chrono::minutes>(time).time_since_epoch() /
      std::chrono::minutes(1));
}

}  // namespace

void RecentEvents::Observe(const Hash128& key, const Event& event,
                           uint32_t delta, WallTime now) {
  DropExpired(now);
  const WallTime occurred_at = std::min(event.occurred_at, now);
  Index index = table_.Find(key, KeyOf());
  WallTime seen_at = delta > 0 ? now : occurred_at;
  if (delta == 0 && index != kNone) seen_at = slots_[index].event.seen_at;
  // Those who read a dump ask when it happened, not when it was read.
  if (span_ == Span::kAll) seen_at = occurred_at;
  if (seen_at <= Cutoff(now)) return;
  const bool warning = event.type == "Warning";
  if (index == kNone) {
    index = Insert(key, warning, seen_at);
    if (index == kNone) return;
    slots_[index].known_from =
        std::max(delta, 1U) < event.count ? now : WallTime::min();
  } else {
    Unlist(index);
  }
  Slot& slot = slots_[index];
  slot.warning = warning;
  CopyEvent(event, occurred_at, seen_at, slot.event);
  Append({MinuteOf(seen_at), delta}, slot.event.minutes);
  Enlist(index);
}

void RecentEvents::Absorb(RecentEvents& other, bool baseline, WallTime now) {
  DropExpired(now);
  for (const Line& line : other.lines_) {
    for (Index from = line.newest; from != kNone;
         from = other.slots_[from].older) {
      AbsorbSlot(other.slots_[from], baseline, now);
    }
  }
  left_out_ = std::max(left_out_, other.left_out_);
  other = RecentEvents();
  listed_ = true;
}

void RecentEvents::AbsorbSlot(Slot& staged, bool baseline, WallTime now) {
  Index index = table_.Find(staged.key, KeyOf());
  const bool news = !baseline && !staged.event.minutes.empty();
  WallTime seen_at = news ? staged.event.seen_at : staged.event.occurred_at;
  if (!news && index != kNone) seen_at = slots_[index].event.seen_at;
  if (seen_at <= Cutoff(now)) return;
  if (index == kNone) {
    index = Insert(staged.key, staged.warning, seen_at);
    if (index == kNone) return;
    slots_[index].known_from = staged.known_from;
  } else {
    Unlist(index);
  }
  Slot& slot = slots_[index];
  slot.warning = staged.warning;
  const std::vector<Minute> added =
      std::exchange(staged.event.minutes, std::move(slot.event.minutes));
  slot.event = std::move(staged.event);
  slot.event.seen_at = seen_at;
  if (news) {
    for (const Minute& minute : added) Append(minute, slot.event.minutes);
  }
  Enlist(index);
}

RecentEvents::View RecentEvents::Newest(WallTime now) const {
  const WallTime cutoff = Cutoff(now);
  View view;
  view.more = left_out_ > cutoff;
  view.listed = listed_;
  for (const Line& line : lines_) {
    for (Index index = line.newest; index != kNone;
         index = slots_[index].older) {
      const Slot& slot = slots_[index];
      if (slot.event.seen_at <= cutoff) break;
      RecentEvent event = slot.event;
      uint64_t seen = 0;
      std::erase_if(event.minutes, [&](const Minute& minute) {
        return span_ == Span::kHour && minute.minute <= MinuteOf(cutoff);
      });
      for (const Minute& minute : event.minutes) seen += minute.occurrences;
      // A beginning in the future proves nothing.
      const bool all =
          event.first_seen > cutoff && event.first_seen <= now + kMaxAhead;
      event.in_window = std::max<uint64_t>(seen, all ? event.count : 1);
      event.at_least = !all && slot.known_from > cutoff;
      view.events.push_back(std::move(event));
    }
  }
  std::stable_sort(view.events.begin(), view.events.end(),
                   [](const RecentEvent& a, const RecentEvent& b) {
                     return a.seen_at > b.seen_at;
                   });
  return view;
}

RecentEvents::Index RecentEvents::Insert(const Hash128& key, bool warning,
                                         WallTime seen_at) {
  if (free_.empty() && slots_.size() == kMaxEvents) {
    const Line& others = lines_[0];
    const Index oldest =
        others.oldest != kNone ? others.oldest : lines_[1].oldest;
    const Slot& slot = slots_[oldest];
    const bool stays_out =
        slot.warning == warning ? seen_at < slot.event.seen_at : slot.warning;
    left_out_ = std::max(left_out_, stays_out ? seen_at : slot.event.seen_at);
    if (stays_out) return kNone;
    Erase(oldest);
  }
  auto index = static_cast<Index>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  slots_[index].key = key;
  slots_[index].event.minutes.clear();
  table_.Insert(index, KeyOf());
  return index;
}

void RecentEvents::Erase(Index index) {
  Unlist(index);
  table_.Erase(index, KeyOf());
  free_.push_back(index);
}

void RecentEvents::Enlist(Index index) {
  Slot& slot = slots_[index];
  Line& line = lines_[slot.warning ? 1 : 0];
  // Nearly always the newest, so the search starts there.
  Index newer = kNone;
  Index older = line.newest;
  while (older != kNone && slots_[older].event.seen_at > slot.event.seen_at) {
    newer = std::exchange(older, slots_[older].older);
  }
  slot.older = older;
  slot.newer = newer;
  (older != kNone ? slots_[older].newer : line.oldest) = index;
  (newer != kNone ? slots_[newer].older : line.newest) = index;
}

void RecentEvents::Unlist(Index index) {
  const Slot& slot = slots_[index];
  Line& line = lines_[slot.warning ? 1 : 0];
  (slot.older != kNone ? slots_[slot.older].newer : line.oldest) = slot.newer;
  (slot.newer != kNone ? slots_[slot.newer].older : line.newest) = slot.older;
}

void RecentEvents::Append(Minute added, std::vector<Minute>& minutes) {
  if (added.occurrences == 0) return;
  for (Minute& known : minutes) {
    if (known.minute != added.minute) continue;
    known.occurrences +=
        std::min(added.occurrences, UINT32_MAX - known.occurrences);
    return;
  }
  constexpr uint32_t kMinutes = std::chrono::minutes(kWindow).count();
  std::erase_if(minutes, [&](const Minute& known) {
    return known.minute + kMinutes <= added.minute;
  });
  minutes.push_back(added);
}

void RecentEvents::DropExpired(WallTime now) {
  for (const Line& line : lines_) {
    while (line.oldest != kNone &&
           slots_[line.oldest].event.seen_at <= Cutoff(now)) {
      Erase(line.oldest);
    }
  }
}

}  // namespace kem
