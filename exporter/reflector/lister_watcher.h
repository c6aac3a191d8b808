// Lists and watches one collection of the API server: the seam between the
// reflector's decisions and its requests. Implemented by ApiListerWatcher, and
// by a script in unit tests. Does not retry, and keeps no state between calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/api_status.h"
#include "apiserver/list_options.h"
#include "base/clock.h"

namespace kem {

// One page of a list. Items have neither kind nor apiVersion, and are not
// parsed. Owns the bytes that its items point into, so it cannot move.
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

// Receives the stream of a watch, on the thread that called Watch.
class WatchHandler {
 public:
  virtual ~WatchHandler() = default;
  // The API server accepted the watch. `server_time` is its Date header.
  virtual void OnOpen(std::optional<WallTime> server_time) = 0;
  // Bytes of the stream, cut anywhere, valid during the call. Return false to
  // end the watch.
  virtual bool OnBytes(std::string_view bytes) = 0;
};

struct WatchOutcome {
  enum class End {
    kComplete,   // the API server ended it properly
    kTruncated,  // the connection broke
    kTimeout,    // silence past the read deadline
    kAborted,    // the handler returned false
    kStopped,    // a stop was requested
    kFailed,     // it did not open: see `failure`
  };
  End end = End::kFailed;
  Failure failure;
};

class ListerWatcher {
 public:
  virtual ~ListerWatcher() = default;

  // The collection's path, for logs.
  virtual const std::string& path() const = 0;

  // Requests one page within `timeout` and fills `page`, whose buffers are used
  // again. Empty on success. The error code is kCancelled after a stop,
  // kTooLarge or kMalformed for the page, else ToErrorCode's.
  virtual std::optional<Failure> List(const ListOptions& options,
                                      std::chrono::milliseconds timeout,
                                      ListPage& page, std::stop_token stop) = 0;

  // Watches until the stream ends, after options.timeout + kReadMargin at most.
  virtual WatchOutcome Watch(const WatchOptions& options, WatchHandler& handler,
                             std::stop_token stop) = 0;

  // A watch that exceeds its timeoutSeconds by this has a dead connection.
  static constexpr std::chrono::seconds kReadMargin{15};
};

}  // namespace kem
