// Lists and watches one collection of the API server: the seam between the
// reflector's decisions and its requests. Implemented by ApiListerWatcher, and
// by a script in unit tests. Does not retry, and keeps no state between calls.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "apiserver/api_status.h"
#include "apiserver/list_options.h"
#include "reflector/list_page.h"

namespace kem {

// Receives the stream of a watch, on the thread that called Watch.
class WatchHandler {
 public:
  virtual ~WatchHandler() = default;
  // The API server accepted the watch.
  virtual void OnOpen() = 0;
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
