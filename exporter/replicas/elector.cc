#include "replicas/elector.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"

namespace kem {

namespace {

// An object's name has at most 253 bytes.
constexpr size_t kMaxHolder = 256;

}  // namespace

using std::chrono::milliseconds;
using Result = LeaseClient::Result;

Elector::Elector(HttpTransport& transport, LeaseName name, std::string identity,
                 Clock& clock)
    : clock_(clock),
      identity_(std::move(identity)),
      name_(name.name_space + "/" + name.name),
      client_(transport, std::move(name)) {
  status_.elects = true;
}

void Elector::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const milliseconds wait = Step(stop);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, wait,
                      [this] { return leads_ && requested_ != attempted_; });
  }
}

milliseconds Elector::Step(const std::stop_token& stop) {
  bool leads = false;
  {
    const std::lock_guard guard(mutex_);
    leads = leads_;
  }
  return leads ? Renew(stop) : Follow(stop);
}

milliseconds Elector::Renew(const std::stop_token& stop) {
  uint64_t requested = 0;
  const LeaseRecord record = Renewed(client_.record(), requested);
  const SteadyTime start = clock_.SteadyNow();
  const auto left = std::chrono::floor<milliseconds>(leads_until_ - start);
  if (left <= milliseconds(0)) {
    Lose("it was not renewed for 10 s");
    return milliseconds(0);
  }
  switch (client_.Write(record, std::min<milliseconds>(kRequest, left), stop)) {
    case Result::kDone: {
      NoteSuccess();
      const std::lock_guard guard(mutex_);
      leads_until_ = start + kRenewWithin;
      published_ = requested;
      changed_.notify_all();
      return kRetry;
    }
    case Result::kNotFound:
      Lose("it was deleted");
      return milliseconds(0);
    case Result::kConflict:
      return AfterConflict(stop);
    case Result::kFailed:
      break;
  }
  if (!stop.stop_requested()) NoteFailure(client_.problem());
  return std::min<milliseconds>(
      std::chrono::seconds(1),
      std::max(milliseconds(0), std::chrono::ceil<milliseconds>(
                                    leads_until_ - clock_.SteadyNow())));
}

// Someone may have changed it without taking it.
milliseconds Elector::AfterConflict(const std::stop_token& stop) {
  const auto left =
      std::chrono::floor<milliseconds>(leads_until_ - clock_.SteadyNow());
  if (left <= milliseconds(0)) return milliseconds(0);
  const Result read =
      client_.Read(std::min<milliseconds>(kRequest, left), stop);
  if (read == Result::kNotFound) {
    Lose("it was deleted");
  } else if (read == Result::kDone && client_.record().holder != identity_) {
    Lose("another replica has taken it");
  }
  return milliseconds(100);
}

milliseconds Elector::Follow(const std::stop_token& stop) {
  const Result read = client_.Read(kRequest, stop);
  if (read == Result::kNotFound) return Acquire({}, stop);
  if (read != Result::kDone) {
    if (!stop.stop_requested()) NoteFailure(client_.problem());
    return kRetry;
  }
  NoteSuccess();
  const LeaseRecord& record = client_.record();
  const SteadyTime now = clock_.SteadyNow();
  if (record != seen_) {
    seen_ = record;
    seen_at_ = now;
  }
  NoteRecord(record);
  // Of its own it knows more, if the last write failed.
  if (record.holder != identity_) AdoptMarks(record);
  if (!record.holder.empty() && record.holder != identity_ &&
      now - seen_at_ < kLease) {
    return kRetry;
  }
  return Acquire(record, stop);
}

milliseconds Elector::Acquire(LeaseRecord record, const std::stop_token& stop) {
  const SteadyTime start = clock_.SteadyNow();
  if (record.holder != identity_) {
    // A Lease that is created has no transition yet.
    if (record.renewed != WallTime()) ++record.transitions;
    record.holder = identity_;
    record.acquired = clock_.WallNow();
  }
  record.duration = kLease;
  uint64_t requested = 0;
  record = Renewed(std::move(record), requested);
  const Result written = client_.Write(record, kRequest, stop);
  if (written == Result::kFailed && !stop.stop_requested()) {
    NoteFailure(client_.problem());
  }
  if (written != Result::kDone) return kRetry;
  NoteSuccess();
  NoteRecord(client_.record());
  {
    const std::lock_guard guard(mutex_);
    leads_ = true;
    ++turn_;
    over_ = std::stop_source();
    leads_until_ = start + kRenewWithin;
    requested_ = attempted_ = published_ = 0;
  }
  LogInfo("This replica delivers now",
          {{"lease", name_}, {"transitions", client_.record().transitions}});
  return kRetry;
}

// With all that is known to be delivered, also after the Lease was deleted.
LeaseRecord Elector::Renewed(LeaseRecord record, uint64_t& requested) {
  record.renewed = clock_.WallNow();
  const std::lock_guard guard(mutex_);
  for (const auto& [sink, mark] : marks_) record.marks[sink] = MarkText(mark);
  requested = attempted_ = requested_;
  return record;
}

void Elector::NoteRecord(const LeaseRecord& record) {
  const std::lock_guard guard(mutex_);
  status_.holder = CutUtf8(record.holder, kMaxHolder);
  status_.acquired = record.acquired;
  status_.transitions = record.transitions;
}

void Elector::AdoptMarks(const LeaseRecord& record) {
  Marks marks;
  for (const auto& [sink, text] : record.marks) {
    // Of another text nothing counts as delivered: twice is better than never.
    if (auto mark = ParseMark(text)) marks.emplace(sink, std::move(*mark));
  }
  const std::lock_guard guard(mutex_);
  marks_ = std::move(marks);
}

void Elector::Lose(const std::string& why) {
  // What ends with the turn is called without the mutex.
  std::stop_source over = [this] {
    const std::lock_guard guard(mutex_);
    leads_ = false;
    return over_;
  }();
  over.request_stop();
  changed_.notify_all();
  seen_ = {};
  LogWarn("This replica does not deliver any more",
          {{"lease", name_}, {"why", why}});
}

void Elector::Release() {
  bool leads = false;
  {
    const std::lock_guard guard(mutex_);
    leads = std::exchange(leads_, false);
  }
  if (!leads) return;
  uint64_t requested = 0;
  Result written = Result::kConflict;
  // The stop may have ended a write, or a connection its answer, although the
  // API server has done it.
  for (int i = 0; i < 2 && written == Result::kConflict; ++i) {
    if (i > 0) client_.Read(kRelease / 2, {});
    if (client_.record().holder != identity_) return;
    LeaseRecord record = Renewed(client_.record(), requested);
    record.holder.clear();
    record.acquired = record.renewed;
    // client-go releases with the shortest duration that is valid.
    record.duration = std::chrono::seconds(1);
    written = client_.Write(record, kRelease / 2, {});
  }
  if (written != Result::kDone) {
    LogWarn("Cannot release the Lease, another replica takes it after 15 s",
            {{"lease", name_}, {"problem", client_.problem()}});
  }
}

void Elector::NoteFailure(const std::string& problem) {
  {
    const std::lock_guard guard(mutex_);
    ++status_.failures;
  }
  if (std::exchange(failing_, true)) return;
  LogWarn("Cannot read or write the Lease, retrying",
          {{"lease", name_}, {"problem", problem}});
}

void Elector::NoteSuccess() {
  if (std::exchange(failing_, false)) {
    LogInfo("The Lease can be read and written again", {{"lease", name_}});
  }
}

DeliveryTurn::State Elector::Of(const std::string& sink) {
  const std::lock_guard guard(mutex_);
  State state;
  if (leads_ && clock_.SteadyNow() < leads_until_) {
    state.turn = turn_;
    state.over = over_.get_token();
  }
  if (const auto mark = marks_.find(sink); mark != marks_.end()) {
    state.delivered = mark->second;
  }
  return state;
}

bool Elector::Publish(uint64_t turn, const std::string& sink,
                      const DeliveryMark& mark, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto over = [&] { return !leads_ || turn_ != turn; };
  if (over()) return false;
  marks_[sink] = mark;
  const uint64_t mine = ++requested_;
  changed_.notify_all();
  changed_.wait(lock, stop, [&] { return over() || published_ >= mine; });
  return !over() && published_ >= mine;
}

ReplicaStatus Elector::Status() const {
  const std::lock_guard guard(mutex_);
  ReplicaStatus status = status_;
  status.leads = leads_ && clock_.SteadyNow() < leads_until_;
  return status;
}

}  // namespace kem
