#include "config/strict_yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace kem {

std::string QuotedText(const std::string& text) { return "\"" + text + "\""; }

Error StrictYaml::error() const {
  return Error{ErrorCode::kInvalidConfig, begin_ + problem_};
}

void StrictYaml::Fail(int line, const std::string& problem) {
  if (Failed()) return;
  problem_ = (line > 0 ? " line " + std::to_string(line) : "") + ": " + problem;
}

void StrictYaml::Fail(const YAML::Node& at, const std::string& problem) {
  Fail(at.Mark().line + 1, problem);
}

void StrictYaml::ReadPairs(const YAML::Node& map, const std::string& name,
                           const PairReader& read) {
  if (map.IsNull() || Failed()) return;
  if (!map.IsMap()) return Fail(map, name + " must be a map of keys to values");
  std::set<std::string> seen;
  for (const auto& item : map) {
    if (Failed()) return;
    if (!item.first.IsScalar()) {
      return Fail(item.first, name + " has a key that is no text");
    }
    const std::string& key = item.first.Scalar();
    if (!seen.insert(key).second) {
      return Fail(item.first,
                  QuotedText(key) + " stands twice; keep one of them");
    }
    if (!item.second.IsNull()) {
      read(item.second, key);
    } else {
      read(YAML::Node(YAML::NodeType::Undefined), key);
    }
  }
}

void StrictYaml::ReadMap(const YAML::Node& map, const std::string& name,
                         std::initializer_list<Field> fields) {
  std::set<std::string> known;
  std::string list;
  for (const Field& field : fields) {
    known.insert(field.key);
    list += (list.empty() ? "" : ", ") + std::string(field.key);
  }
  // Where a key without a value stands is not known any more.
  const int line = map.Mark().line + 1;
  ReadPairs(map, name, [&](const YAML::Node& value, const std::string& key) {
    if (!known.contains(key)) {
      return Fail(value.IsDefined() ? value.Mark().line + 1 : line,
                  "there is no " + QuotedText(key) + " in " + name +
                      "; it may have " + list);
    }
    if (!value.IsDefined()) return;
    for (const Field& field : fields) {
      if (key == field.key) field.read(value);
    }
  });
}

std::string StrictYaml::Text(const YAML::Node& node, const std::string& what) {
  if (node.IsScalar()) return node.Scalar();
  Fail(node, what + " must be a text");
  return "";
}

std::string StrictYaml::File(const YAML::Node& node, const std::string& what) {
  std::string name = Text(node, what);
  if (name.empty() || name.front() == '/') return name;
  return (std::filesystem::path(path_).parent_path() / name).string();
}

bool StrictYaml::Flag(const YAML::Node& node, const std::string& what) {
  bool flag = false;
  if (!node.IsScalar() || !YAML::convert<bool>::decode(node, flag)) {
    Fail(node, what + " must be true or false");
  }
  return flag;
}

std::vector<std::string> StrictYaml::Texts(const YAML::Node& node,
                                           const std::string& what) {
  std::vector<std::string> texts;
  if (!node.IsSequence()) Fail(node, what + " must be a list, such as [a, b]");
  for (const YAML::Node& item : node) {
    if (Failed()) break;
    texts.push_back(Text(item, what + "'s entry"));
  }
  return texts;
}

size_t StrictYaml::OneOf(const YAML::Node& node, const std::string& text,
                         const std::string& what,
                         std::initializer_list<std::string_view> choices) {
  const auto* found = std::find(choices.begin(), choices.end(), text);
  if (found != choices.end()) {
    return static_cast<size_t>(found - choices.begin());
  }
  std::string list;
  for (const std::string_view choice : choices) {
    list.append(list.empty() ? "" : ", ").append(choice);
  }
  Fail(node, what + " " + QuotedText(text) + " must be one of " + list);
  return 0;
}

}  // namespace kem
