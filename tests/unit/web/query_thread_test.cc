// The thread of queries: one at a time, dropped when cancelled, stopped when it
// runs. Each wait is for another thread; nothing sleeps.
#include "web/query_thread.h"

#include <gmock/gmock.h>

#include <memory>
#include <semaphore>
#include <string>

#include "testing/no_threads.h"

namespace kem {
namespace {

using ::testing::ElementsAre;

class QueryThreadTest : public ::testing::Test {
 protected:
  static HttpAnswer Answer(const std::string& bytes) {
    HttpAnswer answer;
    answer.bytes = bytes;
    return answer;
  }
  static QueryThread::Job Returning(const std::string& bytes) {
    return [bytes](const std::stop_token&) { return Answer(bytes); };
  }
  // Begins, and ends when `go_on` is released.
  QueryThread::Job Held(const std::string& bytes) {
    return [this, bytes](const std::stop_token&) {
      begun.release();
      go_on.acquire();
      return Answer(bytes);
    };
  }
  // Ends when it is stopped.
  QueryThread::Job UntilStopped() {
    return [this](const std::stop_token& stop) {
      const std::stop_callback on_stop(stop, [this] { stopped.release(); });
      begun.release();
      stopped.acquire();
      ended.release();
      return Answer("stopped");
    };
  }
  // "<ticket> <bytes>" of the next `count` answers.
  std::vector<std::string> Next(int count) {
    std::vector<std::string> texts;
    while (static_cast<int>(texts.size()) < count) {
      woken.acquire();
      for (const auto& [ticket, answer] : thread->Finished()) {
        texts.push_back(std::to_string(ticket) + " " + answer.bytes);
      }
    }
    return texts;
  }

  std::counting_semaphore<> begun{0};
  std::counting_semaphore<> go_on{0};
  std::counting_semaphore<> stopped{0};
  std::counting_semaphore<> ended{0};
  std::counting_semaphore<> woken{0};
  std::unique_ptr<QueryThread> thread =
      std::make_unique<QueryThread>([this] { woken.release(); });
};

TEST_F(QueryThreadTest, AnswersInTheOrderOfTheJobs) {
  EXPECT_TRUE(thread->Start(1, Held("a")));
  EXPECT_TRUE(thread->Start(2, Returning("b")));
  EXPECT_TRUE(thread->Start(3, Returning("c")));
  begun.acquire();
  EXPECT_TRUE(thread->Finished().empty());
  go_on.release();
  EXPECT_THAT(Next(3), ElementsAre("1 a", "2 b", "3 c"));
}

TEST_F(QueryThreadTest, ACancelledJobDoesNotRun) {
  thread->Start(1, Held("a"));
  begun.acquire();
  thread->Start(2, UntilStopped());
  thread->Start(3, Returning("c"));
  thread->Cancel(2);
  go_on.release();
  EXPECT_THAT(Next(2), ElementsAre("1 a", "3 c"));
}

TEST_F(QueryThreadTest, StopsAJobThatRunsAndDropsItsAnswer) {
  thread->Start(1, UntilStopped());
  begun.acquire();
  thread->Cancel(1);
  // The next job of the same client.
  thread->Start(1, Returning("again"));
  EXPECT_THAT(Next(1), ElementsAre("1 again"));
}

TEST_F(QueryThreadTest, DropsAnAnswerThatWasNotTaken) {
  thread->Start(1, Returning("a"));
  woken.acquire();
  thread->Cancel(1);
  EXPECT_TRUE(thread->Finished().empty());
  thread->Cancel(7);  // unknown
}

TEST_F(QueryThreadTest, AStopIsForOneJob) {
  thread->Start(1, UntilStopped());
  begun.acquire();
  thread->Cancel(1);
  thread->Start(2, [](const std::stop_token& stop) {
    return Answer(stop.stop_requested() ? "stopped" : "not stopped");
  });
  EXPECT_THAT(Next(1), ElementsAre("2 not stopped"));
}

TEST_F(QueryThreadTest, EndsWithAJobThatRunsAndOthersThatWait) {
  thread->Start(1, UntilStopped());
  begun.acquire();
  thread->Start(2, UntilStopped());
  thread.reset();
  EXPECT_TRUE(ended.try_acquire());
  EXPECT_FALSE(ended.try_acquire());
}

TEST_F(QueryThreadTest, WithoutAThreadNothingStarts) {
  {
    const NoThreads none;
    EXPECT_FALSE(thread->Start(1, Returning("a")));
  }
  EXPECT_TRUE(thread->Start(2, Returning("b")));
  EXPECT_THAT(Next(1), ElementsAre("2 b"));
}

}  // namespace
}  // namespace kem
