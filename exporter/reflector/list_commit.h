// A complete list, without its items: the argument of
// ObjectHandler::CommitList. Filled by the reflector, used by the pipeline and
// the ledger, and recorded in the state's journal.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace kem {

struct ListCommit {
  // Of the first page, to which the API server pins all pages.
  uint64_t resource_version = 0;
  // The API server's clock at the first page (its Date header, else ours).
  WallTime server_time;
  // The resourceVersion went back (a restored etcd): earlier Events and
  // versions mean nothing, and this list is a new baseline.
  bool new_epoch = false;
  // The next watch resumes where the last one ended, not from this list.
  bool bridge = false;
  // When the first page was requested.
  SteadyTime started{};
};

}  // namespace kem
