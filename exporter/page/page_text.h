// Texts for the pages: escaped input, ages as kubectl prints them, the kubectl
// commands that show an Event or its object. Used by all pages. Knows nothing
// of the layout, nor of links (page_links.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "history/event_source.h"

namespace kem {

// Appends all parts.
inline void Put(std::string& out,
                std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) out += part;
}

// For HTML text and quoted attributes. Hidden characters (base/safe_text.h)
// become "[U+202E]"; bytes that are not UTF-8 become U+FFFD. EscapeLines keeps
// line breaks.
std::string EscapeHtml(std::string_view text);
std::string EscapeLines(std::string_view text);

// "90s", "5m12s", "2h": k8s.io/apimachinery's duration.HumanDuration.
std::string AgeText(std::chrono::seconds age);

// "12,345".
std::string NumberText(uint64_t number);
// "1 Event", "12 Events".
std::string Plural(uint64_t number, const char* one, const char* many);

// "2026-11-23 10:07:46"; UTC.
std::string TimeText(WallTime time);

// A shell command for all Events of the object, or for this one if the kind or
// name of the object cannot be selected. Safe to paste for any Event; empty if
// not even the Event's name can be.
std::string KubectlCommand(const FoundEvent& event);
// "kubectl describe" for the object; empty if it cannot be named. Safe to paste
// for any Event.
std::string DescribeCommand(const FoundEvent& event);

}  // namespace kem
