#include <unordered_map>
#include <utility>
#include <vector>

#include "sinks/otlp_encoder.h"

namespace kem {

std::string OtlpRequest(const OtlpEncoder& encoder,
                        std::span<const Occurrence> batch) {
  std::vector<OtlpEncoder::Group> groups;
  std::unordered_map<std::string, size_t> places;  // by resource, in `groups`
  std::string resource;
  for (const Occurrence& occurrence : batch) {
    resource.clear();
    encoder.AppendResource(occurrence, resource);
    const auto [place, added] = places.try_emplace(resource, groups.size());
    if (added) groups.push_back({resource, {}});
    encoder.AppendRecord(occurrence, groups[place->second].records);
  }
  return encoder.Request(groups);
}

}  // namespace kem
