#include "reflector/watch_session.h"

#include <algorithm>

#include "apiserver/api_status.h"
#include "reflector/json_scanner.h"

namespace kem {
namespace {

WatchEnd JudgeError(const FrameInfo& info) {
  if (IsExpired(info.status_code, info.status_reason)) {
    return WatchEnd::kExpired;
  }
  return info.status_code == 429 ? WatchEnd::kThrottled : WatchEnd::kError;
}

}  // namespace

bool WatchSession::OnBytes(std::string_view bytes) {
  if (verdict_) return false;
  reader_.Append(bytes);
  while (!verdict_) {
    const std::optional<Frame> frame = reader_.Next();
    if (!frame) break;
    switch (frame->kind) {
      case Frame::Kind::kWhole:
        Apply(frame->bytes);
        break;
      case Frame::Kind::kMalformed:
        DropMalformed(frame->bytes);
        break;
      case Frame::Kind::kOversize:
        Drop(DropReason::kOversize, WatchEnd::kOversize);
        break;
    }
  }
  FlushCounts();
  return !verdict_;
}

bool WatchSession::Finish() {
  // After a verdict the connection is not the cause.
  const bool cut = reader_.Finish() > 0 && !verdict_;
  if (cut) stats_.Count(DropReason::kTruncated);
  return cut;
}

void WatchSession::Apply(std::string_view bytes) {
  while (!bytes.empty() && !verdict_) {
    FrameInfo info = handler_.ApplyFrame(bytes);
    if (info.consumed == 0) info.type = FrameType::kMalformed;
    Judge(info, bytes);
    bytes.remove_prefix(std::min(info.consumed, bytes.size()));
    while (!bytes.empty() && IsJsonSpace(bytes.front())) bytes.remove_prefix(1);
  }
}

void WatchSession::DropMalformed(std::string_view bytes) {
  if (!had_frames_) answer_ = WhatAnswered(bytes);
  Drop(DropReason::kMalformed, WatchEnd::kMalformed);
}

void WatchSession::Judge(const FrameInfo& info, std::string_view bytes) {
  if (info.type != FrameType::kMalformed) {
    ++counts_[static_cast<size_t>(info.type)];
  }
  const ResumePoint& point = handler_.resume_point();
  switch (info.type) {
    case FrameType::kAdded:
      // A replay's arrival is not that of its first copy.
      if (info.created && info.resource_version == point.newest()) {
        lag_.Add(point.newest_at(), *info.created);
      }
      had_frames_ = true;
      return;
    case FrameType::kModified:
    case FrameType::kDeleted:
    case FrameType::kBookmark:
      had_frames_ = true;
      return;
    case FrameType::kError:
      // The API server ends the stream directly after it (etcd3/watcher.go).
      verdict_ = JudgeError(info);
      error_frame_ = info;
      return;
    case FrameType::kUnknown:
      // Its resourceVersion is ignored: only a list may skip it.
      return Drop(DropReason::kUnknownType, WatchEnd::kUnknownType);
    case FrameType::kMalformed:
      return DropMalformed(bytes);
  }
}

void WatchSession::FlushCounts() {
  for (size_t type = 0; type < counts_.size(); ++type) {
    if (counts_[type] == 0) continue;
    stats_.frames[type] += std::exchange(counts_[type], 0);
  }
}

}  // namespace kem
