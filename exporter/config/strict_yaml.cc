#include "config/strict_yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>

#include "base/ascii.h"

namespace kem {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr int kMaxMerges = 100;

// Keeps the line of the last document's start.
class DocumentStart : public YAML::EventHandler {
 public:
  int line() const { return line_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    line_ = mark.line + 1;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  int line_ = 0;
};

// Not YAML::LoadAll, which never ends on some texts, such as "\"\"t\n? ":
// yaml-cpp 0.7 finds one more document forever without reading on.
std::optional<int> LineOfSecondDocument(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStart start;
  for (int documents = 0; documents < 2; ++documents) {
    if (!parser.HandleNextDocument(start)) return std::nullopt;
  }
  return start.line();
}

}  // namespace

Error StrictYaml::error() const { return InvalidConfig(begin_ + problem_); }

void StrictYaml::Fail(int line, const std::string& problem) {
  if (Failed()) return;
  problem_ = (line > 0 ? " line " + std::to_string(line) : "") + ": " + problem;
}

void StrictYaml::Fail(const YAML::Node& at, const std::string& problem) {
  Fail(at.Mark().line + 1, problem);
}

void StrictYaml::ReadDocument(std::string_view text, const NodeReader& read) {
  if (text.size() > kMaxBytes) return Fail(0, "the file is larger than 1 MiB");
  try {
    const std::string copy(text);
    if (const auto line = LineOfSecondDocument(copy)) {
      return Fail(*line, "a second YAML document begins; keep one");
    }
    read(YAML::Load(copy));
  } catch (const YAML::Exception& e) {
    Fail(e.mark.line + 1, "the file is not valid YAML: " + e.msg);
  } catch (const std::exception& e) {
    Fail(0, std::string("the file cannot be read as YAML: ") + e.what());
  }
}

void StrictYaml::ReadPairs(const YAML::Node& map, const std::string& name,
                           const PairReader& read) {
  std::set<std::string> seen;
  if (!map.IsNull()) ReadPairs(map, name, read, seen);
}

void StrictYaml::ReadPairs(const YAML::Node& map, const std::string& name,
                           const PairReader& read,
                           std::set<std::string>& seen) {
  if (Failed()) return;
  if (!map.IsMap()) return Fail(map, name + " must be a map");
  std::set<std::string> own;
  std::optional<YAML::Node> merged;
  for (const auto& item : map) {
    if (Failed()) return;
    if (!item.first.IsScalar()) {
      return Fail(item.first, name + " has a key that is not a string");
    }
    const std::string& key = item.first.Scalar();
    if (!own.insert(key).second) {
      return Fail(item.first,
                  Quoted(key) + " is given twice; keep one of them");
    }
    if (key == "<<") {
      merged = item.second;
    } else if (seen.insert(key).second) {
      read(item.first, item.second);
    }
  }
  if (merged) ReadMerged(*merged, name, read, seen);
}

void StrictYaml::ReadMerged(const YAML::Node& merged, const std::string& name,
                            const PairReader& read,
                            std::set<std::string>& seen) {
  if (Failed()) return;
  // Ends a map that merges itself, and one that grows with each level.
  if (++merges_ > kMaxMerges) {
    return Fail(merged, "there are more than " + std::to_string(kMaxMerges) +
                            " merge keys (<<)");
  }
  if (!merged.IsSequence()) {
    return ReadPairs(merged, "the merge key (<<) of " + name, read, seen);
  }
  for (const YAML::Node& one : merged) {
    if (one.IsSequence()) return Fail(one, "<< must list maps");
    ReadMerged(one, name, read, seen);
  }
}

void StrictYaml::ReadMap(const YAML::Node& map, const std::string& name,
                         std::initializer_list<Field> fields) {
  ReadPairs(map, name, [&](const YAML::Node& key, const YAML::Node& value) {
    std::string known;
    for (const Field& field : fields) {
      if (key.Scalar() == field.key) {
        if (!value.IsNull()) field.read(value);
        return;
      }
      known += (known.empty() ? "" : ", ") + std::string(field.key);
    }
    Fail(key, name + " has the unknown key " + Quoted(key.Scalar()) +
                  "; valid keys are " + known);
  });
}

std::string StrictYaml::Text(const YAML::Node& node, const std::string& what) {
  if (node.IsScalar()) return node.Scalar();
  Fail(node, what + " must be a single value");
  return "";
}

std::string StrictYaml::File(const YAML::Node& node, const std::string& what) {
  const std::string name = Text(node, what);
  if (name.empty()) return "";
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
    texts.push_back(Text(item, "each entry of " + what));
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
  Fail(node, what + " " + Quoted(text) + " must be one of " + list);
  return 0;
}

}  // namespace kem
