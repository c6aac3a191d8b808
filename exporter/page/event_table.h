// The table of Events, the same on all pages: a row for each, whose message
// opens for the full text, advice and a kubectl command, without a script. Used
// by the pages only. The order is the caller's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "page/event_row.h"

namespace kem {

// Precedes what needs attention, beside a text with the same meaning.
inline constexpr std::string_view kAttention =
    "<span aria-hidden=\"true\">▲ </span>";

inline constexpr std::string_view kLegend =
    "▲ marks Events that need attention: Warnings, and Normal Events with a "
    "reason known to be bad.";
// Of rows with all their occurrences.
inline constexpr std::string_view kCountLegend =
    "Count is the number of occurrences since an Event was first seen.";

struct EventTable {
  std::string_view root;  // relative link to "/"
  std::string_view name;  // for screen readers
  WallTime now;
  // A box that hides the Events that do not need attention. Once in a document.
  bool filter = true;
};

void PutEventTable(const EventTable& table, const std::vector<EventRow>& rows,
                   std::string& out);

// At most 1024 bytes of a text of an Event, escaped. The sources may have more.
std::string ShortText(std::string_view text);
std::string ShortLines(std::string_view text);

// What the catalogue has about the reason: "<p>…</p>".
void PutAdvice(const CatalogueReason& known, std::string& out);

// A shell command to copy; nothing when it is empty.
void PutCommand(const std::string& command, std::string& out);

// "<a …>name</a>"; without a link where no URL can name the object.
void PutObjectLink(std::string_view root, const FoundEvent& event,
                   std::string& out);

// "5m12s".
std::string AgeSince(WallTime then, WallTime now);
// The same with the time as a hint.
void PutAge(WallTime then, WallTime now, std::string& out);

}  // namespace kem
