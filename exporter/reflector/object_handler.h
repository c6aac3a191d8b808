// What a reflector does with the watch events and lists it receives: the seam
// between the session and the Events. The pipeline implements it; unit tests of
// the reflector use a fake with memory. One handler for each reflector, called
// on the reflector's thread.
//
// JSON passed to a handler is readable for kJsonPadding bytes past its end.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json_padding.h"
#include "reflector/resume_point.h"

namespace kem {

enum class FrameType {
  kAdded,
  kModified,
  kDeleted,
  kBookmark,
  kError,      // the object is a metav1.Status
  kUnknown,    // well-formed, of an unknown type
  kMalformed,  // not a watch event
};

struct FrameInfo {
  FrameType type = FrameType::kMalformed;
  // metadata.resourceVersion; 0 for kError and kMalformed.
  uint64_t resource_version = 0;
  // Of kAdded, when the API server made the object:
  // metadata.creationTimestamp.
  std::optional<WallTime> created;
  // The length of the watch event. When it is less than the frame, another one
  // follows on the same line, and the rest must be passed in again.
  size_t consumed = 0;
  // The Status of kError; 0 and empty otherwise.
  int status_code = 0;
  std::string status_reason;
  std::string status_message;
  std::optional<std::chrono::seconds> retry_after;
};

// A complete list, without its items. The state's journal records it.
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

class ObjectHandler {
 public:
  virtual ~ObjectHandler() = default;

  // A list begins. Discards what an unfinished one staged.
  virtual void BeginList() = 0;
  // Field selectors for the list that began and for the watches after its
  // commit: one for each of the reflector's APIs, or none to select everything.
  virtual std::vector<std::string> Selectors() const { return {}; }
  // Stages an item of a page; not visible before the commit. Returns its
  // metadata.creationTimestamp, which is WallTime() when it has none. Empty
  // when it is not an Event: it is skipped, and counted as dropped.
  virtual std::optional<WallTime> StageItem(std::string_view item) = 0;
  // Applies the complete list at once. A handler's first commit, and each with
  // new_epoch, is a baseline. Known Events that were not staged are gone.
  virtual void CommitList(const ListCommit& commit) = 0;
  // Decodes and applies one watch event.
  virtual FrameInfo ApplyFrame(std::string_view frame) = 0;
  // Where a watch resumes. The handler keeps it, in step with what it applied,
  // because both must survive a restart together. Changed only by CommitList
  // and ApplyFrame.
  virtual const ResumePoint& resume_point() const = 0;
  // The API server's clock: the Date of a response that has just arrived.
  virtual void NoteServerTime(WallTime now) = 0;
};

}  // namespace kem
