// The sink type mirror: writes Events as core/v1 Events of the same reason,
// type, message, count and times into one namespace, where `kubectl get events
// -n` shows them. A mirror's name depends only on the original's name and uid,
// so that replicas and restarts write the same object. None of them replaces a
// newer mirror, or writes again what is there. Its reporting component is
// kMirrorComponent, by which no exporter counts or delivers it.
#pragma once

#include <cstddef>
#include <memory>
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
  MirrorSink(std::unique_ptr<HttpTransport> transport,
             std::string target_namespace)
      : transport_(std::move(transport)),
        target_(std::move(target_namespace)) {}

  // Writes each Event of the batch once, with its last occurrence. An Event
  // whose mirror is as new already is done. Events of the target namespace
  // itself are not mirrored.
  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token& stop) override;
  size_t max_batch() const override { return 64; }

 private:
  ApiAnswer Write(const Occurrence& occurrence, const std::stop_token& stop);
  ApiAnswer Create(const Occurrence& occurrence, const std::stop_token& stop);
  // Also kDone when the mirror is as new as the occurrence. kConflict when
  // another writer came between, kNotFound when there is no mirror.
  ApiAnswer Update(const Occurrence& occurrence, const std::stop_token& stop);
  std::string Collection() const;

  const std::unique_ptr<HttpTransport> transport_;
  const std::string target_;
};

// "<name>.<16 hexadecimal digits of the uid's hash>", a DNS-1123 subdomain for
// every name. The same in every build and on every machine.
std::string MirrorName(std::string_view name, std::string_view uid);

// The whole object, for a create and, with the resourceVersion of the mirror
// that it replaces, for a merge patch.
std::string MirrorBody(const Occurrence& occurrence,
                       std::string_view target_namespace,
                       std::string_view replaced_version = {});

}  // namespace kem
