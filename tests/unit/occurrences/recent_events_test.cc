// The Events of the last hour: which are kept, how often they occurred, and
// that memory is bounded.
#include "occurrences/recent_events.h"

#include <gmock/gmock.h>

#include <random>

namespace kem {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RecentEventsTest : public ::testing::Test {
 protected:
  // An Event that began `first` and last occurred `last` before now.
  Event About(std::string_view object, seconds last, seconds first,
              uint32_t count = 1) {
    Event event;
    event.event_namespace = "default";
    event.name = "event";
    event.uid = "a-uid";
    event.object_uid = "an-object-uid";
    event.api_version = "v1";
    event.kind = "Node";
    event.object_name = object;
    event.reason = "Rebooted";
    event.type = "Warning";
    event.reporting_component = "kubelet";
    event.message = "it did";
    event.count = count;
    event.first_seen = now - first;
    event.occurred_at = now - last;
    return event;
  }
  Event About(std::string_view object, seconds last = seconds(0)) {
    return About(object, last, last);
  }
  void Observe(const Event& event, uint32_t delta = 1) {
    recent.Observe(hash(event.object_name), event, delta, now);
  }
  std::vector<std::string> Objects() {
    std::vector<std::string> names;
    for (const RecentEvent& event : recent.Newest(now).events) {
      names.push_back(event.object_name);
    }
    return names;
  }
  RecentEvent Only() {
    const RecentEvents::View view = recent.Newest(now);
    EXPECT_EQ(view.events.size(), 1U);
    return view.events.empty() ? RecentEvent() : view.events.front();
  }

  Hasher hash;
  WallTime now{seconds(1795435200)};
  RecentEvents recent;
};

TEST_F(RecentEventsTest, KeepsWhatTheEventSays) {
  Observe(About("worker-1", minutes(1), minutes(2), 3), 3);
  const RecentEvent event = Only();
  EXPECT_EQ(event.event_namespace, "default");
  EXPECT_EQ(event.name, "event");
  EXPECT_EQ(event.uid, "a-uid");
  EXPECT_EQ(event.object_uid, "an-object-uid");
  EXPECT_EQ(event.api_version, "v1");
  EXPECT_EQ(event.kind, "Node");
  EXPECT_EQ(event.object_name, "worker-1");
  EXPECT_EQ(event.reason, "Rebooted");
  EXPECT_EQ(event.type, "Warning");
  EXPECT_EQ(event.reporting_component, "kubelet");
  EXPECT_EQ(event.message, "it did");
  EXPECT_EQ(event.count, 3U);
  EXPECT_EQ(event.first_seen, now - minutes(2));
  EXPECT_EQ(event.occurred_at, now - minutes(1));
  EXPECT_EQ(event.seen_at, now);
}

TEST_F(RecentEventsTest, AFirstListIsInTheOrderOfItsTimes) {
  Observe(About("b", minutes(2)), 0);
  Event normal = About("c", minutes(3));
  normal.type = "Normal";
  Observe(normal, 0);
  Observe(About("a", minutes(1)), 0);
  Observe(About("d", minutes(4)), 0);
  EXPECT_THAT(Objects(), ElementsAre("a", "b", "c", "d"));
}

TEST_F(RecentEventsTest, WhatIsSeenLastIsFirstWhateverItsTime) {
  Observe(About("ahead", -minutes(120)));
  now += seconds(1);
  Observe(About("behind", minutes(120)));
  now += seconds(1);
  Observe(About("1970", now.time_since_epoch() / seconds(1) * seconds(1)));
  EXPECT_THAT(Objects(), ElementsAre("1970", "behind", "ahead"));
  now += seconds(1);
  Observe(About("ahead", -minutes(120), -minutes(120), 2));
  EXPECT_THAT(Objects(), ElementsAre("ahead", "1970", "behind"));
  now += minutes(60) - seconds(1);
  EXPECT_THAT(Objects(), ElementsAre("ahead"));
}

TEST_F(RecentEventsTest, RepeatReplacesAndMovesToTheTop) {
  Observe(About("a", minutes(9)));
  now += seconds(1);
  Observe(About("b", minutes(8)));
  now += seconds(1);
  Event again = About("a", minutes(1), minutes(9), 2);
  again.message = "and again";
  again.type = "Normal";
  Observe(again);
  EXPECT_THAT(Objects(), ElementsAre("a", "b"));
  EXPECT_EQ(recent.Newest(now).events[0].message, "and again");
}

TEST_F(RecentEventsTest, AChangeWithoutAnOccurrenceStaysWhereItIs) {
  Observe(About("a", minutes(9)));
  now += seconds(1);
  Observe(About("b", minutes(8)));
  now += seconds(1);
  Event changed = About("a", minutes(9));
  changed.message = "annotated";
  Observe(changed, 0);
  EXPECT_THAT(Objects(), ElementsAre("b", "a"));
  EXPECT_EQ(recent.Newest(now).events[1].message, "annotated");
}

TEST_F(RecentEventsTest, AnHourIsAnHour) {
  Observe(About("too old", minutes(60)), 0);
  Observe(About("just in", minutes(59)), 0);
  EXPECT_THAT(Objects(), ElementsAre("just in"));
  now += minutes(1);
  EXPECT_THAT(Objects(), IsEmpty());
  Observe(About("new"));
  EXPECT_THAT(Objects(), ElementsAre("new"));
}

TEST_F(RecentEventsTest, ADumpHasNoHour) {
  recent = RecentEvents(RecentEvents::Span::kAll);
  EXPECT_FALSE(recent.Newest(now).more);
  Observe(About("new"));
  Observe(About("old", minutes(60 * 24 * 800), minutes(60 * 24 * 900), 7), 7);
  Event first = About("zero", minutes(60), minutes(60), 2);
  first.first_seen = WallTime(seconds(-62135596800));  // Go's zero time
  first.occurred_at = WallTime();
  Observe(first, 2);
  now += minutes(60);
  EXPECT_THAT(Objects(), ElementsAre("new", "old", "zero"));
  const std::vector<RecentEvent> events = recent.Newest(now).events;
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1].in_window, 7U);
  EXPECT_FALSE(events[1].at_least);
  EXPECT_EQ(events[2].in_window, 2U);
}

TEST_F(RecentEventsTest, FutureTimesAreNow) {
  Observe(About("ahead", seconds(-86400)), 0);
  EXPECT_EQ(Only().occurred_at, now);
  EXPECT_EQ(Only().seen_at, now);
  now += minutes(60);
  EXPECT_THAT(Objects(), IsEmpty());
}

TEST_F(RecentEventsTest, CountsTheOccurrencesOfTheLastHourOnly) {
  Observe(About("a", seconds(0), minutes(120), 40), 1);
  now += minutes(30);
  Observe(About("a", seconds(0), minutes(150), 43), 3);
  now += minutes(29);
  EXPECT_EQ(Only().in_window, 4U);
  now += minutes(2);
  EXPECT_EQ(Only().in_window, 3U);
  EXPECT_EQ(Only().count, 43U);
}

TEST_F(RecentEventsTest, ReportsWhereItMayHaveMissedSome) {
  // Its 40 occurrences began before the hour, unobserved.
  Observe(About("a", minutes(1), minutes(120), 40), 0);
  EXPECT_EQ(Only().in_window, 1U);
  EXPECT_TRUE(Only().at_least);
  Observe(About("a", minutes(0), minutes(120), 42), 2);
  EXPECT_EQ(Only().in_window, 2U);
  EXPECT_TRUE(Only().at_least);
  now += minutes(59);
  Observe(About("a", minutes(0), minutes(179), 43), 1);
  EXPECT_EQ(Only().in_window, 3U);
  EXPECT_TRUE(Only().at_least);
  // Observed for a whole hour.
  now += minutes(1);
  EXPECT_EQ(Only().in_window, 1U);
  EXPECT_FALSE(Only().at_least);
}

TEST_F(RecentEventsTest, AllOfAnEventThatBeganWithinTheHourIsInIt) {
  Observe(About("a", minutes(1), minutes(50), 40), 0);
  EXPECT_EQ(Only().in_window, 40U);
  EXPECT_FALSE(Only().at_least);
}

TEST_F(RecentEventsTest, AListIsStagedAndAbsorbed) {
  Observe(About("known", minutes(9), minutes(9), 1));
  Observe(About("deleted meanwhile", minutes(8)));
  RecentEvents staged;
  EXPECT_FALSE(recent.Newest(now).listed);
  const Event known = About("known", minutes(2), minutes(9), 4);
  const Event missed = About("missed", minutes(1), minutes(300), 7);
  staged.Observe(hash("known"), known, 3, now);
  now += seconds(1);
  staged.Observe(hash("missed"), missed, 2, now);
  staged.Observe(hash("too old"), About("too old", minutes(60)), 0, now);
  recent.Absorb(staged, /*baseline=*/false, now);
  EXPECT_TRUE(recent.Newest(now).listed);
  EXPECT_THAT(Objects(), ElementsAre("missed", "known", "deleted meanwhile"));
  const auto events = recent.Newest(now).events;
  EXPECT_EQ(events[0].in_window, 2U);
  EXPECT_TRUE(events[0].at_least);
  EXPECT_EQ(events[1].in_window, 4U);
  EXPECT_FALSE(events[1].at_least);
  EXPECT_THAT(staged.Newest(now).events, IsEmpty());
}

TEST_F(RecentEventsTest, OfABaselineNothingIsNew) {
  Observe(About("known", minutes(9)));
  now += seconds(1);
  RecentEvents staged;
  staged.Observe(hash("known"), About("known", minutes(9)), 5, now);
  staged.Observe(hash("other"), About("other", minutes(3)), 5, now);
  staged.Observe(hash("too old"), About("too old", minutes(60)), 5, now);
  recent.Absorb(staged, /*baseline=*/true, now);
  EXPECT_THAT(Objects(), ElementsAre("known", "other"));
  EXPECT_EQ(recent.Newest(now).events[0].seen_at, now - seconds(1));
  EXPECT_EQ(recent.Newest(now).events[0].in_window, 1U);
}

TEST_F(RecentEventsTest, TextsAreCutVisiblyAtACharactersEnd) {
  std::string kind = "x";
  for (int i = 0; i < 100; ++i) kind += "ä";
  const std::string message(5000, 'm');
  Event event = About("a");
  event.kind = kind;
  event.message = message;
  Observe(event);
  EXPECT_EQ(Only().kind, kind.substr(0, 125) + "…");
  EXPECT_EQ(Only().message, message.substr(0, 1021) + "…");
  const std::string whole(RecentEvents::kMaxMessage, 'w');
  event.message = whole;
  Observe(event);
  EXPECT_EQ(Only().message, whole);
}

TEST_F(RecentEventsTest, TakesAtMostTwoMegabytes) {
  const std::string text(RecentEvents::kMaxMessage, 't');
  for (int minute = 0; minute < 70; ++minute) {
    for (size_t i = 0; i < RecentEvents::kMaxEvents; ++i) {
      const std::string object = std::to_string(i) + text;
      Event event = About(object);
      event.event_namespace = event.name = event.api_version = event.kind =
          event.reason = event.type = event.reporting_component = event.uid =
              event.object_uid = event.message = text;
      Observe(event);
    }
    now += minutes(1);
  }
  size_t bytes = 0;
  const RecentEvents::View view = recent.Newest(now);
  ASSERT_EQ(view.events.size(), RecentEvents::kMaxEvents);
  for (const RecentEvent& event : view.events) {
    bytes += sizeof(event) + event.minutes.size() * sizeof(event.minutes[0]);
    for (const std::string* one :
         {&event.event_namespace, &event.name, &event.object_name,
          &event.api_version, &event.kind, &event.reason, &event.type,
          &event.reporting_component, &event.uid, &event.object_uid,
          &event.message}) {
      bytes += one->size();
    }
  }
  EXPECT_GT(bytes, 1'500'000U);
  EXPECT_LT(bytes, 2'000'000U);
}

TEST_F(RecentEventsTest, TheMinutesOfTheSpanAreInTheView) {
  Observe(About("a", seconds(0), minutes(61), 2), 2);
  now += minutes(2);
  Observe(About("a", seconds(0), minutes(63), 5), 3);
  now += seconds(1);
  Observe(About("a", seconds(0), minutes(63), 6), 1);
  const auto minute =
      static_cast<uint32_t>(now.time_since_epoch() / minutes(1));
  RecentEvent event = Only();
  ASSERT_EQ(event.minutes.size(), 2U);
  EXPECT_EQ(event.minutes[0].minute, minute - 2);
  EXPECT_EQ(event.minutes[0].occurrences, 2U);
  EXPECT_EQ(event.minutes[1].minute, minute);
  EXPECT_EQ(event.minutes[1].occurrences, 4U);
  now += minutes(58);
  event = Only();
  ASSERT_EQ(event.minutes.size(), 1U);
  EXPECT_EQ(event.minutes[0].minute, minute);
}

TEST_F(RecentEventsTest, FullMeansTheOldestGoAndWarningsLast) {
  const auto name = [](const char* kind, size_t i) {
    return kind + std::to_string(1000 + i);
  };
  const auto observe = [&](const std::string& object, const char* type) {
    now += seconds(1);
    Event event = About(object);
    event.type = type;
    Observe(event);
  };
  for (size_t i = 0; i < 10; ++i) observe(name("warning", i), "Warning");
  for (size_t i = 10; i < RecentEvents::kMaxEvents; ++i) {
    observe(name("normal", i), "Normal");
  }
  EXPECT_FALSE(recent.Newest(now).more);
  observe("another", "Normal");
  EXPECT_TRUE(recent.Newest(now).more);
  std::vector<std::string> objects = Objects();
  EXPECT_EQ(objects.size(), RecentEvents::kMaxEvents);
  EXPECT_EQ(objects.front(), "another");
  EXPECT_EQ(objects[489], "normal1011");  // 1010 went
  EXPECT_EQ(objects.back(), "warning1000");

  for (size_t i = 10; i < RecentEvents::kMaxEvents; ++i) {
    observe(name("warning", i), "Warning");
  }
  observe("no room", "Normal");
  objects = Objects();
  EXPECT_EQ(objects.size(), RecentEvents::kMaxEvents);
  EXPECT_EQ(objects.front(), "warning1499");
  EXPECT_EQ(objects.back(), "warning1000");
  observe("one more", "Warning");
  EXPECT_EQ(Objects().back(), "warning1001");
  now += minutes(60);
  EXPECT_FALSE(recent.Newest(now).more);
}

// Compared with a simple and slow implementation.
TEST_F(RecentEventsTest, AgreesWithASimpleModel) {
  std::mt19937 random(7);
  const auto draw = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  std::map<std::string, WallTime> model;
  for (int step = 0; step < 20000; ++step) {
    now += seconds(draw(20));
    const std::string object = "o" + std::to_string(draw(400));
    Event event = About(object, seconds(draw(4000) - 100));
    event.type = draw(2) == 0 ? "Warning" : "Normal";
    const auto delta = static_cast<uint32_t>(draw(2));
    Observe(event, delta);
    const auto known = model.find(object);
    WallTime at = std::min(event.occurred_at, now);
    if (known != model.end() && known->second > now - minutes(60)) {
      at = known->second;
    }
    if (delta > 0) at = now;
    if (at > now - minutes(60)) model[object] = at;
    if (step % 500 != 0) continue;
    std::erase_if(model,
                  [&](auto& one) { return one.second <= now - minutes(60); });
    const std::vector<std::string> objects = Objects();
    ASSERT_EQ(objects.size(), model.size());
    WallTime before = now;
    for (const std::string& name : objects) {
      ASSERT_TRUE(model.contains(name));
      ASSERT_LE(model[name], before);
      before = model[name];
    }
  }
}

}  // namespace
}  // namespace kem
