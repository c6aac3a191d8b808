// ListerWatcher over HTTP for one collection path: /api/v1/events,
// /apis/events.k8s.io/v1/events or one namespace's. There is no field selector
// on metadata.namespace, because a list in pages then loses items. Reports each
// failure as one sentence.
#pragma once

#include <string>

#include "base/result.h"
#include "net/http_transport.h"
#include "reflector/lister_watcher.h"

namespace kem {

// Fills everything but server_time from page.body. An error (kMalformed) when
// the body is not a list, or one of another kind; the page is then invalid.
Result<void> ParseListPage(ListPage& page);

// For one reflector's thread.
class ApiListerWatcher : public ListerWatcher {
 public:
  // A larger page is kTooLarge. With decoding, a reflector needs at most 64
  // MiB, whatever it receives.
  static constexpr size_t kMaxPage = size_t{32} << 20;

  // `transport` must outlive this.
  ApiListerWatcher(HttpTransport& transport, std::string path,
                   size_t max_page = kMaxPage);

  const std::string& path() const override { return path_; }
  std::optional<Failure> List(const ListOptions& options,
                              std::chrono::milliseconds timeout, ListPage& page,
                              std::stop_token stop) override;
  WatchOutcome Watch(const WatchOptions& options, WatchHandler& handler,
                     std::stop_token stop) override;

 private:
  HttpTransport& transport_;
  const std::string path_;
  const size_t max_page_;
};

}  // namespace kem
