// Which replica delivers: what a SinkWorker asks before each batch and reports
// to after it. Implemented by replicas/; a process without other replicas has
// none. Does not know queues or receivers.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "occurrences/delivery_mark.h"

namespace kem {

class DeliveryTurn {
 public:
  struct State {
    // Which turn of this replica; 0 while it has none.
    uint64_t turn = 0;
    // Requested when the turn is over.
    std::stop_token over = {};
    // What the replicas have published as delivered.
    DeliveryMark delivered = {};
  };

  virtual ~DeliveryTurn() = default;

  // Thread-safe, does not block.
  virtual State Of(const std::string& sink) = 0;
  // Publishes what is delivered. Blocks until that has succeeded; false when
  // the turn was over before or `stop` was requested. Thread-safe.
  virtual bool Publish(uint64_t turn, const std::string& sink,
                       const DeliveryMark& mark,
                       const std::stop_token& stop) = 0;
};

}  // namespace kem
