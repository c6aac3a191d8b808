#include "web/query_thread.h"

#include <algorithm>

#include "base/start_thread.h"

namespace kem {

QueryThread::QueryThread(std::function<void()> wake) : wake_(std::move(wake)) {}

QueryThread::~QueryThread() {
  const std::lock_guard guard(mutex_);
  waiting_.clear();
  stop_running_.request_stop();
}

void QueryThread::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    auto [ticket, job] = std::move(waiting_.front());
    waiting_.pop_front();
    running_ = ticket;
    stop_running_ = std::stop_source();
    const std::stop_token token = stop_running_.get_token();
    lock.unlock();
    HttpAnswer answer = job(token);
    job = nullptr;
    lock.lock();
    if (!running_) continue;
    running_.reset();
    finished_.emplace_back(ticket, std::move(answer));
    lock.unlock();
    wake_();
    lock.lock();
  }
}

bool QueryThread::Start(uint64_t ticket, Job job) {
  {
    const std::lock_guard guard(mutex_);
    if (!thread_.joinable()) {
      Result<std::jthread> started =
          StartThread([this](const std::stop_token& stop) { Run(stop); });
      if (!started) return false;
      thread_ = std::move(*started);
    }
    waiting_.emplace_back(ticket, std::move(job));
  }
  changed_.notify_one();
  return true;
}

void QueryThread::Cancel(uint64_t ticket) {
  const std::lock_guard guard(mutex_);
  const auto is_its = [ticket](const auto& one) { return one.first == ticket; };
  std::erase_if(waiting_, is_its);
  std::erase_if(finished_, is_its);
  if (running_ == ticket) {
    running_.reset();
    stop_running_.request_stop();
  }
}

std::vector<std::pair<uint64_t, HttpAnswer>> QueryThread::Finished() {
  const std::lock_guard guard(mutex_);
  return std::exchange(finished_, {});
}

}  // namespace kem
