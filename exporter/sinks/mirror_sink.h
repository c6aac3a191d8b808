// The sink `namespace`: mirrors Events into one namespace, as core/v1 Events
// of the same reason, type, message, count and times, so that `kubectl get
// events -n` shows them. A mirror's name comes from the original's name and uid
// alone, so that replicas and restarts write the same one. It names us as its
// reporting component, and is counted and forwarded by no exporter
// (kMirrorComponent).
//
// Owned by one worker's thread.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "apiserver/api_writer.h"
#include "net/http_transport.h"
#include "sinks/sink.h"

namespace kem {

class MirrorSink : public Sink {
 public:
  // `transport` must outlive this.
  MirrorSink(HttpTransport& transport, std::string target_namespace)
      : transport_(transport), target_(std::move(target_namespace)) {}

  // Writes each Event of the batch once, as its last occurrence tells it.
  // What sits in the target namespace itself is left as it is.
  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token& stop) override;
  size_t max_batch() const override { return 64; }

 private:
  ApiAnswer Write(const Occurrence& occurrence, const std::stop_token& stop);

  HttpTransport& transport_;
  const std::string target_;
};

// "<name>.<16 hexadecimal digits of the uid's hash>", a DNS-1123 subdomain
// whatever the name is. The same in every build and on every machine.
std::string MirrorName(std::string_view name, std::string_view uid);

// The whole object, to create it, and as a merge patch to bring it up to date.
std::string MirrorBody(const Occurrence& occurrence,
                       std::string_view target_namespace);

}  // namespace kem
