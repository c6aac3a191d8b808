// What a reflector does with what the API server tells it: the seam between
// the session (frames) and the meaning (Events). The pipeline implements it;
// unit tests of the reflector use a fake with memory. One handler a reflector;
// all calls come from the reflector's thread.
//
// JSON handed over must be readable for kJsonPadding bytes past its end
// (simdjson reads in wide steps); what stands there does not matter.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "reflector/resume_point.h"

namespace kem {

inline constexpr size_t kJsonPadding = 64;

enum class FrameType {
  kAdded,
  kModified,
  kDeleted,
  kBookmark,
  kError,      // the object is a metav1.Status
  kUnknown,    // well-formed, of a type we do not know
  kMalformed,  // not a watch frame at all
};

struct FrameInfo {
  FrameType type = FrameType::kMalformed;
  // metadata.resourceVersion; 0 where there is none (kError, kMalformed).
  uint64_t resource_version = 0;
  // How many bytes the frame took. Less than it was given when another frame
  // follows on the same line; the rest must be handed in again.
  size_t consumed = 0;
  // Of a kError frame's Status; 0 and empty otherwise.
  int status_code = 0;
  std::string status_reason;
  std::string status_message;
  std::optional<std::chrono::seconds> retry_after;
};

struct ListCommit {
  // Of the first page, to which all pages are pinned.
  uint64_t resource_version = 0;
  // The API server's clock at the first page (its Date header, else ours).
  WallTime server_time;
  // The resourceVersion went back (a restored etcd): what was known means
  // nothing any more, and this list is a new baseline.
  bool new_epoch = false;
  // The next watch resumes where the last one was, not from this list.
  bool bridge = false;
  // When the first page was requested.
  SteadyTime started{};
};

class ObjectHandler {
 public:
  virtual ~ObjectHandler() = default;

  // A list begins (again): forget what an unfinished one staged.
  virtual void BeginList() = 0;
  // The field selectors for the list that began, and for the watches after its
  // commit: one for each of the reflector's APIs, or none for everything.
  virtual std::vector<std::string> Selectors() const { return {}; }
  // One element of a page's `items`. Changes nothing anybody can see. False
  // when it is not an Event; it is then left out and counted as dropped.
  virtual bool StageItem(std::string_view item) = 0;
  // The list is whole: apply it at once. The first commit of a handler, and
  // each with new_epoch, is a baseline. What is known but not staged is gone.
  virtual void CommitList(const ListCommit& commit) = 0;
  // One live frame: decode, count, and tell what it was.
  virtual FrameInfo ApplyFrame(std::string_view frame) = 0;
  // Where a watch resumes. The handler keeps it, in step with what it applied,
  // because both must survive a restart together. Changed only by CommitList,
  // ApplyFrame and CompleteWatch.
  virtual const ResumePoint& resume_point() const = 0;
  // A watch ended properly: nothing of its newest resourceVersion is missing.
  virtual void CompleteWatch() = 0;
};

}  // namespace kem
