// One collection of the API server, to be listed and watched: the seam between
// the reflector's decisions and the requests that carry them out.
// ApiListerWatcher is the real one, unit tests play a script. Does not retry
// and keeps no state between calls.
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

// Receives one watch, on the thread that called Watch.
class WatchHandler {
 public:
  virtual ~WatchHandler() = default;
  // The API server agreed; bytes may follow.
  virtual void OnOpen() = 0;
  // Bytes of the stream, cut anywhere, valid during the call only. False ends
  // the watch.
  virtual bool OnBytes(std::string_view bytes) = 0;
};

struct WatchOutcome {
  enum class End {
    kComplete,   // the API server ended it properly
    kTruncated,  // the connection broke
    kTimeout,    // silence past the read deadline
    kAborted,    // the handler said false
    kStopped,    // the stop token was used
    kFailed,     // it never opened: see `failure`
  };
  End end = End::kFailed;
  Failure failure;
};

class ListerWatcher {
 public:
  virtual ~ListerWatcher() = default;

  // The collection's path, for logs.
  virtual const std::string& path() const = 0;

  // Asks for one page within `timeout` and fills `page` (its buffers are used
  // again). Empty on success. A failure's code is kCancelled after a stop,
  // kTooLarge for a page that is too big to hold, kMalformed for one that does
  // not parse, else as ToErrorCode says.
  virtual std::optional<Failure> List(const ListOptions& options,
                                      std::chrono::milliseconds timeout,
                                      ListPage& page, std::stop_token stop) = 0;

  // Watches until the stream ends, which takes options.timeout or a little
  // more at most (kReadMargin).
  virtual WatchOutcome Watch(const WatchOptions& options, WatchHandler& handler,
                             std::stop_token stop) = 0;

  // How much longer than its timeoutSeconds a watch may take: then the
  // connection is dead, whatever TCP thinks.
  static constexpr std::chrono::seconds kReadMargin{15};
};

}  // namespace kem
