// The thread that makes the answers of HttpRoutes, one at a time, so that none
// of them delays a scrape. Used by HttpLoop and its connections, which limit
// how many wait here (HttpLimits::queries). Does not know HTTP: a job returns
// its answer.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "web/http_router.h"

namespace kem {

// One thread may call Start, Cancel and Finished.
class QueryThread {
 public:
  // Throws nothing, and returns soon once `stop` is requested.
  using Job = std::function<HttpAnswer(const std::stop_token& stop)>;

  // `wake` is called by the other thread when Finished() has an answer. The
  // destructor stops the job in progress and waits for it.
  explicit QueryThread(std::function<void()> wake);
  ~QueryThread();

  // Runs the job after those before it. A ticket has one job at a time. False
  // when no thread can be started.
  bool Start(uint64_t ticket, Job job);
  // Drops the ticket's job and its answer; stops the job if it runs.
  void Cancel(uint64_t ticket);

  // The answers since the last call, by ticket.
  std::vector<std::pair<uint64_t, HttpAnswer>> Finished();

 private:
  void Run(const std::stop_token& stop);

  const std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<uint64_t, Job>> waiting_;
  std::optional<uint64_t> running_;  // empty also after Cancel
  std::stop_source stop_running_;
  std::vector<std::pair<uint64_t, HttpAnswer>> finished_;
  // Last, so that it ends first. Started by the first job.
  std::jthread thread_;
};

}  // namespace kem
