// One page of a list: where it stands, how it goes on, and its items as slices
// of the bytes received. Nothing of an item is looked at; list items have
// neither kind nor apiVersion. Used by ApiListerWatcher, which fills it, and
// the reflector, which stages the items.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace kem {

// Owns the bytes its items point into: not to be moved or copied.
struct ListPage {
  ListPage() = default;
  ~ListPage() = default;
  ListPage(const ListPage&) = delete;
  ListPage& operator=(const ListPage&) = delete;

  // The answer as it came. Kept from page to page, so that it grows once.
  std::string body;
  // metadata.resourceVersion; 0 when there is none that can be watched from.
  uint64_t resource_version = 0;
  // metadata.continue; empty on the last page.
  std::string continue_token;
  // Raw JSON, readable for kJsonPadding bytes past its end.
  std::vector<std::string_view> items;
  // The answer's Date header.
  std::optional<WallTime> server_time;
};

// Fills all but server_time from page.body. An error (kMalformed) when the body
// is not a list; what the page then holds means nothing. Thread-safe for
// different pages.
Result<void> ParseListPage(ListPage& page);

}  // namespace kem
