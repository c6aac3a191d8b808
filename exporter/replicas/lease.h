// The Lease by which replicas agree which of them delivers
// (coordination.k8s.io/ v1; k8s.io/client-go tools/leaderelection uses the same
// fields). Its annotations also have, for each sink, what is delivered. Used by
// Elector. Reads and writes the object, and does not decide anything.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <utility>

#include "base/clock.h"
#include "net/http_transport.h"

namespace kem {

struct LeaseName {
  std::string name_space;
  std::string name;
  bool operator==(const LeaseName&) const = default;
};

struct LeaseRecord {
  std::string holder;  // empty when it was released
  std::chrono::seconds duration{0};
  WallTime acquired;
  WallTime renewed;
  uint32_t transitions = 0;
  // By sink: a MarkText. Not checked.
  std::map<std::string, std::string, std::less<>> marks;
  bool operator==(const LeaseRecord&) const = default;
};

// Not thread-safe.
class LeaseClient {
 public:
  enum class Result {
    kDone,
    kNotFound,
    kConflict,  // another wrote since the last Read or Write
    kFailed,    // see problem()
  };

  // `transport` must outlive this.
  LeaseClient(HttpTransport& transport, LeaseName name)
      : transport_(transport), name_(std::move(name)) {}

  // Both block for at most `limit`, and return soon after `stop`.
  Result Read(std::chrono::milliseconds limit, const std::stop_token& stop);
  // Replaces what was read or written last, and nothing newer; creates the
  // Lease after kNotFound. Keeps the fields that are not of a LeaseRecord.
  Result Write(const LeaseRecord& record, std::chrono::milliseconds limit,
               const std::stop_token& stop);

  // As it was read or written last.
  const LeaseRecord& record() const { return record_; }
  // One line, after kFailed.
  const std::string& problem() const { return problem_; }

 private:
  Result Take(HttpRequest request, std::chrono::milliseconds limit,
              const std::stop_token& stop);
  std::string Path() const;

  HttpTransport& transport_;
  const LeaseName name_;
  std::string object_;  // JSON; empty for none
  LeaseRecord record_;
  std::string problem_;
};

}  // namespace kem
