#include "base/start_thread.h"

#include <gmock/gmock.h>

#include <atomic>

#include "testing/no_threads.h"

namespace kem {
namespace {

TEST(StartThreadTest, RunsUntilTheStop) {
  std::atomic<bool> stopped = false;
  {
    const Result<std::jthread> thread = StartThread([&](std::stop_token stop) {
      while (!stop.stop_requested()) std::this_thread::yield();
      stopped = true;
    });
    ASSERT_TRUE(thread);
  }
  EXPECT_TRUE(stopped);
}

TEST(StartThreadTest, ReturnsAnErrorWhenTheSystemHasNoThreadLeft) {
  const NoThreads none;
  const Result<std::jthread> thread = StartThread([](std::stop_token) {});
  ASSERT_FALSE(thread);
  EXPECT_THAT(thread.error().message,
              testing::StartsWith("cannot start a thread: "));
}

}  // namespace
}  // namespace kem
