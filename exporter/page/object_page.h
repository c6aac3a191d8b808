// The page of one object at /objects/<kind>/<name>: a timeline, the latest
// message of each reason with what it means, all its Events, related ones and
// the commands and links that lead on. One HTML document, as page.h. Asks no
// EventSource (event_pages.h does).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "page/page.h"
#include "page/page_links.h"

namespace kem {

struct ObjectPage {
  // Other Events that concern the object.
  struct Related {
    std::string title;
    std::string note;     // a sentence, or empty
    std::string problem;  // as below
    std::vector<FoundEvent> events;
  };

  ObjectName object;
  std::string range;  // `since` as in the URL; empty for none
  std::optional<WallTime> since;
  std::optional<WallTime> until;
  // Why there are no Events: a sentence; empty when they were found.
  std::string problem;
  std::vector<FoundEvent> events;  // the latest received first
  bool more = false;               // there are older ones, not read
  std::vector<Related> related;
  // If there are no Events: objects of the same kind and name elsewhere.
  std::vector<ObjectName> others;
};

std::string RenderObject(const PageData& data, ObjectPage page);

}  // namespace kem
