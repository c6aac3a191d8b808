// Decodes an ExportLogsServiceRequest of protobuf into the JSON of OTLP. Used
// by the tests of the encoders. Knows the fields that the exporter writes; any
// other one, and damage, becomes a key "unknown". Its own reader, not the
// library's that wrote the bytes.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace kem {

class OtlpDecoder {
 public:
  static nlohmann::json Request(std::string_view bytes) {
    return Message(bytes, kRequest);
  }

 private:
  enum class As { kText, kInteger, kFixed64, kNumber, kMessage, kList };
  struct Field;
  using Shape = std::map<uint64_t, Field>;
  struct Field {
    const char* name;
    As as;
    const Shape* shape;
  };

  static uint64_t Varint(std::string_view& bytes) {
    uint64_t value = 0;
    for (int shift = 0; !bytes.empty() && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      value |= uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) break;
    }
    return value;
  }

  static std::string_view Take(std::string_view& bytes, uint64_t size) {
    const std::string_view part = bytes.substr(0, size);
    bytes.remove_prefix(part.size());
    return part;
  }

  static nlohmann::json Message(std::string_view bytes, const Shape& shape) {
    nlohmann::json object = nlohmann::json::object();
    while (!bytes.empty()) {
      const uint64_t tag = Varint(bytes);
      const auto found = shape.find(tag >> 3);
      if (found == shape.end()) {
        object["unknown"] = tag;
        return object;
      }
      const Field& field = found->second;
      nlohmann::json& value = object[field.name];
      switch (field.as) {
        case As::kText:
          value = Take(bytes, Varint(bytes));
          break;
        case As::kInteger:
          value = std::to_string(static_cast<int64_t>(Varint(bytes)));
          break;
        case As::kNumber:
          value = Varint(bytes);
          break;
        case As::kFixed64:
          value = Fixed64(Take(bytes, 8));
          break;
        case As::kMessage:
          value = Message(Take(bytes, Varint(bytes)), *field.shape);
          break;
        case As::kList:
          value.push_back(Message(Take(bytes, Varint(bytes)), *field.shape));
          break;
      }
    }
    return object;
  }

  static std::string Fixed64(std::string_view bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      value |= uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
    }
    return std::to_string(value);
  }

  static inline const Shape kValue = {{1, {"stringValue", As::kText, nullptr}},
                                      {3, {"intValue", As::kInteger, nullptr}}};
  static inline const Shape kPair = {{1, {"key", As::kText, nullptr}},
                                     {2, {"value", As::kMessage, &kValue}}};
  static inline const Shape kResource = {
      {1, {"attributes", As::kList, &kPair}}};
  static inline const Shape kScope = {{1, {"name", As::kText, nullptr}}};
  static inline const Shape kRecord = {
      {1, {"timeUnixNano", As::kFixed64, nullptr}},
      {2, {"severityNumber", As::kNumber, nullptr}},
      {3, {"severityText", As::kText, nullptr}},
      {5, {"body", As::kMessage, &kValue}},
      {6, {"attributes", As::kList, &kPair}},
      {11, {"observedTimeUnixNano", As::kFixed64, nullptr}},
      {12, {"eventName", As::kText, nullptr}}};
  static inline const Shape kScopeLogs = {
      {1, {"scope", As::kMessage, &kScope}},
      {2, {"logRecords", As::kList, &kRecord}}};
  static inline const Shape kResourceLogs = {
      {1, {"resource", As::kMessage, &kResource}},
      {2, {"scopeLogs", As::kList, &kScopeLogs}}};
  static inline const Shape kRequest = {
      {1, {"resourceLogs", As::kList, &kResourceLogs}}};
};

}  // namespace kem
