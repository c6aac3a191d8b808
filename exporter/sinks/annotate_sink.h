// The sink type annotate: sets an annotation and a label for the last Warning
// on the object itself, by server-side apply with a field manager of its own,
// and removes the label after a time. Writes an object at most once a minute;
// of what comes sooner only the newest is kept. Handles Warnings of
// cluster-scoped objects that exist, and never creates an object.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/api_writer.h"
#include "base/clock.h"
#include "events/discovery.h"
#include "net/http_transport.h"
#include "occurrences/outbox.h"
#include "sinks/annotation_table.h"
#include "sinks/sink.h"

namespace kem {

struct AnnotateOptions {
  std::string sink;  // part of the field manager's name
  std::string key;   // of label and annotation
  std::chrono::seconds label_ttl = std::chrono::hours(24);
};

class AnnotateSink : public Sink {
 public:
  // Minimum time between two discovery requests for unknown kinds.
  static constexpr std::chrono::minutes kDiscoveryInterval{5};

  // All references must outlive this.
  AnnotateSink(std::unique_ptr<HttpTransport> transport,
               const Discovery& discovery, const Clock& clock,
               SinkMemory& memory, AnnotateOptions options);

  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token& stop) override;
  // The whole of a queue with the default limits, to find the newest occurrence
  // of each object.
  size_t max_batch() const override { return Outbox::Sink().max_entries; }
  size_t max_batch_bytes() const override { return Outbox::Sink().max_bytes; }
  // Removes expired labels.
  void Idle(const std::stop_token& stop) override;
  std::chrono::milliseconds idle_interval() const override;

 private:
  struct Resource {
    std::string api_version;
    std::string plural;
  };
  struct Plan;
  struct Round;

  // The object's URL path; empty when its kind or name cannot be served.
  std::string Path(const Occurrence& occurrence) const;
  const Resource* Find(const Occurrence& occurrence) const;
  // Runs discovery for unknown kinds of the batch.
  Result<void> LearnKinds(std::span<const Occurrence> batch,
                          const std::stop_token& stop);
  // What makes one occurrence newer than another. A time of the future counts
  // as the present.
  Annotation::Age AgeOf(const Occurrence& occurrence) const;
  Plan MakePlan(std::span<const Occurrence> batch) const;
  Delivery Settle(std::span<const Occurrence> batch, const Plan& plan,
                  Round& round) const;
  // The kind must be known.
  Annotation AnnotationOf(const Occurrence& occurrence) const;
  void Send(const std::string& path, const Occurrence& occurrence,
            const std::stop_token& stop, Round& round);
  // Also kDone, without the label, when the object does not exist.
  ApiAnswer Apply(const std::string& path, Annotation& annotation,
                  const std::stop_token& stop);
  ApiAnswer FindUid(const std::string& path, Annotation& annotation,
                    const std::stop_token& stop);

  const std::unique_ptr<HttpTransport> transport_;
  const Discovery& discovery_;
  const Clock& clock_;
  const AnnotateOptions options_;
  const std::string query_;
  std::map<std::string, std::vector<Resource>, std::less<>> kinds_;
  SteadyTime next_discovery_;
  SteadyTime next_removal_;
  WallTime delivered_at_;  // the last Deliver
  bool may_get_ = true;
  bool removal_failed_ = false;  // and logged
  AnnotationTable table_;
};

}  // namespace kem
