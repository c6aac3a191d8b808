// Look-ups that answer, hang, fail and are given up.
#include "net/resolver.h"

#include <gmock/gmock.h>
#include <netinet/in.h>

#include <optional>
#include <stop_token>
#include <thread>

#include "testing/no_threads.h"
#include "unit/net/fake_name_server.h"

namespace kem {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Outcome = IoWaiter::Outcome;

uint16_t PortOf(const SocketAddress& address) {
  return ntohs(
      address.bytes.ss_family == AF_INET6
          ? reinterpret_cast<const sockaddr_in6*>(&address.bytes)->sin6_port
          : reinterpret_cast<const sockaddr_in*>(&address.bytes)->sin_port);
}

// 127.0.0.1 and ::1.
HostAddresses TwoAddresses() {
  HostAddresses both;
  for (const char* literal : {"127.0.0.1", "::1"}) {
    IoWaiter waiter({}, seconds(60));
    both.addresses.push_back(
        Resolver().Resolve(literal, waiter).host.addresses.at(0));
  }
  return both;
}

class ResolverTest : public ::testing::Test {
 protected:
  Resolver::Answer Resolve(const std::string& host) {
    IoWaiter waiter({}, seconds(60));
    return resolver.Resolve(host, waiter);
  }
  // Gives up at once.
  Resolver::Answer Abandon(const std::string& host) {
    IoWaiter waiter({}, seconds(0));
    return resolver.Resolve(host, waiter);
  }

  FakeNameServer names;
  Resolver resolver{names.LookUp()};
};

TEST_F(ResolverTest, ALiteralAddressNeedsNoLookUp) {
  for (const char* literal : {"127.0.0.1", "::1"}) {
    const Resolver::Answer answer = Resolve(literal);
    EXPECT_EQ(answer.wait, Outcome::kReady);
    ASSERT_EQ(answer.host.addresses.size(), 1U);
    EXPECT_EQ(names.Asked(literal), 0);
    EXPECT_EQ(PortOf(answer.host.addresses[0].WithPort(6443)), 6443);
  }
}

TEST_F(ResolverTest, ReturnsWhatTheLookUpFinds) {
  names.Answer(TwoAddresses());
  const Resolver::Answer answer = Resolve("api");
  EXPECT_EQ(answer.wait, Outcome::kReady);
  ASSERT_EQ(answer.host.addresses.size(), 2U);
  EXPECT_EQ(answer.host.addresses[0].get()->sa_family, AF_INET);
  EXPECT_EQ(answer.host.addresses[1].get()->sa_family, AF_INET6);
  names.Answer({{}, "Name or service not known"});
  EXPECT_EQ(Resolve("api").host.problem, "Name or service not known");
  EXPECT_EQ(names.Asked("api"), 2);
}

TEST_F(ResolverTest, AStopEndsTheWait) {
  Resolver::Answer answer;
  std::jthread thread([&](std::stop_token stop) {
    IoWaiter waiter(std::move(stop), seconds(60));
    answer = resolver.Resolve("api", waiter);
  });
  names.WaitForQuestion("api");
  thread.request_stop();
  thread.join();
  EXPECT_EQ(answer.wait, Outcome::kStopped);
  EXPECT_THAT(answer.host.addresses, IsEmpty());
}

TEST_F(ResolverTest, TheDeadlineEndsTheWait) {
  EXPECT_EQ(Abandon("api").wait, Outcome::kDeadline);
}

TEST_F(ResolverTest, AHangingNameServerTakesOneThreadAName) {
  for (int i = 0; i < 100; ++i) {
    Abandon("api");
    Abandon("collector");
  }
  names.WaitForQuestion("api");
  names.WaitForQuestion("collector");
  EXPECT_EQ(names.Asked("api"), 1);
  EXPECT_EQ(names.Asked("collector"), 1);
}

TEST_F(ResolverTest, TheNextCallerGetsWhatAnAbandonedLookUpFinds) {
  Abandon("api");
  names.WaitForQuestion("api");
  names.Answer(TwoAddresses());
  EXPECT_EQ(Resolve("api").host.addresses.size(), 2U);
  EXPECT_EQ(names.Asked("api"), 1);
  EXPECT_EQ(Resolve("api").host.addresses.size(), 2U);
  EXPECT_EQ(names.Asked("api"), 2);
}

TEST_F(ResolverTest, AFailureOfAnAbandonedLookUpIsNotUsed) {
  Abandon("api");
  names.WaitForQuestion("api");
  names.Answer({{}, "Temporary failure in name resolution"});
  // Until the failed one has ended.
  while (names.Asked("api") < 2) Abandon("api");
  names.Answer(TwoAddresses());
  while (Resolve("api").host.addresses.empty()) {
  }
  EXPECT_EQ(Resolve("api").host.problem, "");
}

TEST_F(ResolverTest, TellsThatTheSystemHasNoThreadLeft) {
  names.Answer(TwoAddresses());
  {
    const NoThreads none;
    EXPECT_THAT(Resolve("api").host.problem,
                StartsWith("cannot start a thread: "));
  }
  EXPECT_EQ(Resolve("api").host.addresses.size(), 2U);
}

TEST_F(ResolverTest, LeavesALookUpThatHangsAtItsEnd) {
  std::optional<Resolver> short_lived(names.LookUp());
  IoWaiter waiter({}, seconds(0));
  short_lived->Resolve("api", waiter);
  names.WaitForQuestion("api");
  short_lived.reset();
}

TEST(SystemLookUpTest, AsksTheHostsFile) {
  const HostAddresses found = Resolver::SystemLookUp()("localhost");
  EXPECT_FALSE(found.addresses.empty()) << found.problem;
  EXPECT_EQ(Resolver::SystemLookUp()("a..b").problem.empty(), false);
}

}  // namespace
}  // namespace kem
