// The sink `annotation`: sets on the object itself an annotation that tells its
// last Warning and a label with the reason, by server-side apply with a field
// manager of its own, and takes the label off after a time. At most once a
// minute an object: what comes sooner is held, and the newest of it counts.
// Only Warnings of cluster-scoped objects are annotated, and only objects that
// are there: nothing is ever created.
//
// Owned by one worker's thread.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "apiserver/api_writer.h"
#include "base/clock.h"
#include "events/discovery.h"
#include "net/http_transport.h"
#include "sinks/annotation.h"
#include "sinks/sink.h"

namespace kem {

struct AnnotateOptions {
  std::string sink;  // part of the field manager's name
  std::string key;   // the label's and the annotation's
  std::chrono::seconds label_ttl = std::chrono::hours(24);
};

class AnnotateSink : public Sink {
 public:
  static constexpr std::chrono::seconds kOnceIn{60};  // an object
  // For kinds that the API server did not serve when asked last.
  static constexpr std::chrono::minutes kAskAgain{5};

  // All must outlive this. Takes over what `memory` holds.
  AnnotateSink(HttpTransport& transport, const Discovery& discovery,
               const Clock& clock, SinkMemory& memory, AnnotateOptions options);

  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token& stop) override;
  // The whole queue is looked at, for the newest of each object.
  size_t max_batch() const override { return 10'000; }
  // Takes off what labels are due.
  void Idle(const std::stop_token& stop) override;
  std::chrono::milliseconds idle_interval() const override;

 private:
  struct Annotated {
    Annotation annotation;
    SteadyTime sent_at;
    bool refused = false;
  };
  struct Resource {
    std::string api_version;
    std::string plural;
  };
  using Annotations = std::map<std::string, Annotated, std::less<>>;  // by path
  struct Round;

  // Where the object is; empty when its kind is not served, or it cannot be.
  std::string Path(const Occurrence& occurrence) const;
  const Resource* Find(const Occurrence& occurrence) const;
  // Asks discovery if a kind of the batch is unknown. False when that failed.
  bool LearnKinds(std::span<const Occurrence> batch,
                  const std::stop_token& stop, std::string& problem);
  // Of an occurrence whose kind is known.
  Annotation AnnotationOf(const Occurrence& occurrence) const;
  void Send(const std::string& path, const Occurrence& occurrence,
            const std::stop_token& stop, Round& round);
  // kDone too for an object that is not there.
  ApiAnswer Apply(const std::string& path, Annotation& annotation,
                  const std::stop_token& stop);
  ApiAnswer FindUid(const std::string& path, Annotation& annotation,
                    const std::stop_token& stop);
  void Keep(const std::string& path, Annotated& annotated);

  HttpTransport& transport_;
  const Discovery& discovery_;
  const Clock& clock_;
  SinkMemory& memory_;
  const AnnotateOptions options_;
  const std::string query_;
  std::map<std::string, std::vector<Resource>, std::less<>> kinds_;
  SteadyTime ask_at_;   // not before
  SteadyTime look_at_;  // for labels that are due, not before
  bool may_get_ = true;
  bool stuck_ = false;  // told that a label cannot be taken off
  Annotations annotations_;
};

}  // namespace kem
