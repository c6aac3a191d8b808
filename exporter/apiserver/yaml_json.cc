#include "apiserver/yaml_json.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <exception>
#include <nlohmann/json.hpp>

#include "base/json_text.h"

namespace kem {
namespace {

using nlohmann::json;

// Aliases can expand a short text to a huge tree.
constexpr size_t kMaxBytes = size_t{16} << 20;
constexpr size_t kBytesOfAValue = 64;
constexpr int kMaxDepth = 100;

constexpr std::string_view kStringTag = "tag:yaml.org,2002:str";
constexpr std::array<std::string_view, 11> kTrue = {
    "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
constexpr std::array<std::string_view, 11> kFalse = {
    "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};

bool IsOneOf(std::string_view text, const auto& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// Quoted, or said to be a string.
bool IsString(const YAML::Node& scalar) {
  return scalar.Tag() == "!" || scalar.Tag() == kStringTag;
}

json ScalarToJson(const YAML::Node& scalar) {
  const std::string& text = scalar.Scalar();
  if (IsString(scalar)) return text;
  if (IsOneOf(text, kTrue)) return true;
  if (IsOneOf(text, kFalse)) return false;
  json number = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (number.is_number()) return number;
  return text;
}

class Converter {
 public:
  json Convert(const YAML::Node& node, int depth) {
    if (!Enter(node, depth)) return nullptr;
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return ScalarToJson(node);
      case YAML::NodeType::Sequence: {
        json list = json::array();
        for (const YAML::Node& item : node) {
          list.push_back(Convert(item, depth + 1));
          if (Failed()) break;
        }
        return list;
      }
      case YAML::NodeType::Map: {
        json map = json::object();
        AddMap(node, depth, map);
        return map;
      }
      default:
        return nullptr;
    }
  }

  bool Failed() const { return !problem_.empty(); }
  const std::string& problem() const { return problem_; }

 private:
  void Fail(const YAML::Node& node, const char* why) {
    if (Failed()) return;
    problem_ = "line " + std::to_string(node.Mark().line + 1) + ": " + why;
  }

  // Counts a value; false when there are too many, or they nest too deeply.
  bool Enter(const YAML::Node& node, int depth) {
    const size_t bytes =
        kBytesOfAValue + (node.IsScalar() ? node.Scalar().size() : 0);
    if (depth > kMaxDepth) {
      Fail(node, "lists and maps nest more than 100 levels deep");
    } else if (bytes > left_) {
      Fail(node, "the text is too large, with its aliases expanded");
    } else {
      left_ -= bytes;
    }
    return !Failed();
  }

  // Adds the entries one by one, so that the last of equal keys stays.
  void AddMap(const YAML::Node& node, int depth, json& map) {
    for (const auto& item : node) {
      const YAML::Node& key = item.first;
      if (key.IsScalar() && key.Scalar() == "<<" && !IsString(key)) {
        Merge(item.second, depth, map);
      } else if (key.IsScalar()) {
        const json name = ScalarToJson(key);
        map[name.is_string() ? key.Scalar() : name.dump()] =
            Convert(item.second, depth + 1);
      } else {
        Fail(key, "a key is not a string");
      }
      if (Failed()) return;
    }
  }

  // As go-yaml v2, also where the YAML specification differs: the merged
  // entries replace those above the merge key. In a list, the first map wins.
  void Merge(const YAML::Node& value, int depth, json& map) {
    if (!value.IsSequence()) return MergeMap(value, depth, map);
    for (size_t i = value.size(); i-- > 0 && !Failed();) {
      MergeMap(value[i], depth, map);
    }
  }

  void MergeMap(const YAML::Node& source, int depth, json& map) {
    if (!source.IsMap()) {
      Fail(source, "a merge key (<<) needs a map or a list of maps");
    } else if (Enter(source, depth + 1)) {
      AddMap(source, depth + 1, map);
    }
  }

  size_t left_ = kMaxBytes;
  std::string problem_;
};

}  // namespace

Result<std::string> YamlToJson(std::string_view yaml) {
  // yaml-cpp reports errors by exceptions.
  try {
    Converter converter;
    const json value = converter.Convert(YAML::Load(std::string(yaml)), 0);
    if (converter.Failed()) return InvalidConfig(converter.problem());
    return JsonText(value);
  } catch (const YAML::Exception& e) {
    return InvalidConfig("it is not YAML: line " +
                         std::to_string(e.mark.line + 1) + ": " + e.msg);
  } catch (const std::exception& e) {
    return InvalidConfig(std::string("it cannot be read as YAML: ") + e.what());
  }
}

}  // namespace kem
