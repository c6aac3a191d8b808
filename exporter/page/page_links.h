// Links of the pages: to the page of an object, to a list of Events, to the
// dashboard of an object. All are percent-encoded and relative, but for the
// dashboard's. Used by all pages. Does not read URLs (event_pages.h does).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "history/event_source.h"

namespace kem {

using QueryPair = std::pair<std::string_view, std::string_view>;

// "?kind=Node&name=a%2Fb" of the pairs whose value is not empty; "" if none is.
std::string QueryText(std::initializer_list<QueryPair> pairs);

// Which object a page is about.
struct ObjectName {
  std::string kind;
  std::string object_namespace;  // empty: cluster-scoped
  std::string name;
  // Empty: any, since Events may leave the apiVersion out.
  std::string group;
};
ObjectName ObjectOf(const FoundEvent& event);

// "objects/Node/a%20b?namespace=c", relative to "/"; EventsLink where the name
// cannot be in a path, as "..". Empty without kind or name, and for texts of
// more than 512 bytes.
std::string ObjectLink(const ObjectName& object);
// The list of its Events, relative to "/".
std::string EventsLink(const ObjectName& object);

// The dashboard that shows the object, at this time. Empty when none does, or
// when `grafana_url` is not http(s).
std::string DashboardLink(std::string_view grafana_url,
                          const ObjectName& object, WallTime from, WallTime to);

}  // namespace kem
