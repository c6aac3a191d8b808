// ListerWatcher over HTTP: one collection path of one API server, such as
// /api/v1/events, /apis/events.k8s.io/v1/events or
// /api/v1/namespaces/kube-system/events (never a field selector on
// metadata.namespace: with pages the API server loses items). Turns outcomes
// and refusals into failures with one sentence for a person.
#pragma once

#include <string>

#include "net/http_transport.h"
#include "reflector/lister_watcher.h"

namespace kem {

// Thread-compatible; meant for one reflector.
class ApiListerWatcher : public ListerWatcher {
 public:
  // A page past this is kTooLarge: with what decoding takes besides, a watch
  // never needs more than 64 MiB, whatever it is sent.
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
