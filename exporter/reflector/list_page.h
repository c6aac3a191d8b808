// One page of a list: its version, the token of the next page, and its items as
// slices of the response. Filled by ApiListerWatcher; the reflector stages the
// items. Does not parse items, which have neither kind nor apiVersion.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace kem {

// Owns the bytes that its items point into, so it cannot move.
struct ListPage {
  ListPage() = default;
  ~ListPage() = default;
  ListPage(const ListPage&) = delete;
  ListPage& operator=(const ListPage&) = delete;

  // The response. Kept from page to page, so that it grows once.
  std::string body;
  // metadata.resourceVersion; 0 when a watch cannot start from it.
  uint64_t resource_version = 0;
  // metadata.continue; empty on the last page.
  std::string continue_token;
  // Raw JSON, readable for kJsonPadding bytes past its end.
  std::vector<std::string_view> items;
  // The response's Date header.
  std::optional<WallTime> server_time;
};

// Fills everything but server_time from page.body. An error (kMalformed) when
// the body is not a list; the page is then invalid.
Result<void> ParseListPage(ListPage& page);

}  // namespace kem
