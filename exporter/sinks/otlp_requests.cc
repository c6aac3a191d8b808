#include <utility>

#include "sinks/otlp_encoder.h"

namespace kem {

OtlpRequests::OtlpRequests(std::unique_ptr<OtlpEncoder> encoder)
    : encoder_(std::move(encoder)) {}

const std::string& OtlpRequests::Make(std::span<const Occurrence> batch) {
  used_ = 0;
  places_.clear();
  request_.clear();
  for (const Occurrence& occurrence : batch) {
    encoder_->AppendRecord(occurrence, GroupOf(occurrence).records);
  }
  encoder_->AppendRequest(std::span(groups_.data(), used_), request_);
  return request_;
}

OtlpEncoder::Group& OtlpRequests::GroupOf(const Occurrence& occurrence) {
  resource_.clear();
  encoder_->AppendResource(occurrence, resource_);
  const auto [place, added] = places_.try_emplace(resource_, used_);
  if (!added) return groups_[place->second];
  if (used_ == groups_.size()) groups_.emplace_back();
  OtlpEncoder::Group& group = groups_[used_++];
  group.resource = resource_;
  group.records.clear();
  return group;
}

}  // namespace kem
