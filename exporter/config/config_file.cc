#include "config/config_file.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <exception>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

namespace kem {
namespace {

constexpr size_t kMaxConfigBytes = size_t{1} << 20;
constexpr char kSinks[] = "sinks";

// What a key may be: an option, the beginning of some, or neither.
struct KeyMeaning {
  const OptionRow* row = nullptr;
  bool is_prefix = false;
};

KeyMeaning Meaning(const std::string& name) {
  KeyMeaning meaning;
  for (const OptionRow& row : OptionTable()) {
    if (row.name == name) meaning.row = &row;
    if (std::string_view(row.name).starts_with(name + ".")) {
      meaning.is_prefix = true;
    }
  }
  return meaning;
}

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  // Goes no deeper than the options' names have dots.
  void ReadMap(const YAML::Node& map, const std::string& prefix) {
    std::set<std::string> seen;
    for (const auto& item : map) {
      if (Failed()) return;
      if (!item.first.IsScalar()) {
        return Fail(item.first, "a key is no text");
      }
      const std::string& key = item.first.Scalar();
      const std::string name = prefix + key;
      if (!seen.insert(key).second) {
        return Fail(item.first, name + " stands here twice; keep one of them");
      }
      ReadEntry(item.first, item.second, key, name);
    }
  }

  bool Failed() const { return !problem_.empty(); }
  Error error() const {
    return Error{ErrorCode::kInvalidConfig, path_ + problem_};
  }
  void Fail(const YAML::Node& at, const std::string& problem) {
    Fail(at.Mark().line + 1, problem);
  }
  void Fail(int line, const std::string& problem) {
    problem_ = " line " + std::to_string(line) + ": " + problem;
  }
  void Fail(const std::string& problem) { problem_ = ": " + problem; }

  ConfigFile Take() { return std::move(file_); }

 private:
  void ReadEntry(const YAML::Node& at, const YAML::Node& value,
                 const std::string& key, const std::string& name) {
    if (name == kSinks) return ReadSinks(at, value);
    const KeyMeaning meaning = Meaning(name);
    if (meaning.is_prefix) {
      if (!value.IsMap()) {
        return Fail(at, name +
                            " must be a map of options, as --help names "
                            "them after " +
                            name + ".");
      }
      return ReadMap(value, name + ".");
    }
    if (meaning.row == nullptr || key.find('.') != std::string::npos) {
      return Fail(at, "there is no option " + name +
                          "; --help lists them, and each dot in a name is a "
                          "level in the file");
    }
    if (name == kConfigFileOption) {
      return Fail(at, name + " cannot stand in the file itself");
    }
    ReadValue(*meaning.row, at, value, file_.values);
  }

  void ReadSinks(const YAML::Node& at, const YAML::Node& list) {
    if (list.IsNull()) return;
    if (!list.IsSequence()) {
      return Fail(at,
                  "sinks must be a list, each entry with a name "
                  "and a type");
    }
    for (const YAML::Node& item : list) {
      if (Failed()) return;
      if (!item.IsMap()) {
        return Fail(item,
                    "an entry of sinks must be a map, such as {name: "
                    "audit, type: log}");
      }
      SinkEntry& entry = file_.sinks.emplace_back();
      entry.line = item.Mark().line + 1;
      for (const auto& pair : item) ReadSink(pair.first, pair.second, entry);
    }
  }

  void ReadSink(const YAML::Node& at, const YAML::Node& value,
                SinkEntry& entry) {
    if (Failed()) return;
    if (!at.IsScalar()) return Fail(at, "a key is no text");
    const std::string& key = at.Scalar();
    for (const SinkValue& other : entry.values) {
      if (other.key == key) {
        return Fail(at, key + " stands here twice; keep one of them");
      }
    }
    if (key == "filter") return ReadFilter(at, value, entry);
    if (!value.IsScalar()) {
      return Fail(at, "the sink's " + key + " must have one value");
    }
    entry.values.push_back({key, value.Scalar(), at.Mark().line + 1});
  }

  void ReadFilter(const YAML::Node& at, const YAML::Node& map,
                  SinkEntry& entry) {
    if (!entry.filter.empty()) {
      return Fail(at, "filter stands here twice; keep one of them");
    }
    if (!map.IsMap()) {
      return Fail(at,
                  "the sink's filter must be a map, such as {kinds: [Node]}");
    }
    std::set<std::string> seen;
    for (const auto& pair : map) {
      if (Failed()) return;
      const std::string key = pair.first.IsScalar() ? pair.first.Scalar() : "";
      const OptionRow* row = Meaning(key).row;
      if (row == nullptr || !row->filters) {
        return Fail(pair.first,
                    "the sink's filter has no " + key +
                        "; it may have scope, namespaces, and kinds, reasons, "
                        "types and components, each also with -exclude");
      }
      if (!seen.insert(key).second) {
        return Fail(pair.first, key + " stands here twice; keep one of them");
      }
      ReadValue(*row, pair.first, pair.second, entry.filter);
    }
  }

  void ReadValue(const OptionRow& row, const YAML::Node& at,
                 const YAML::Node& value, std::vector<ConfigValue>& values) {
    const std::string name = row.name;
    ConfigValue read{&row, {}, at.Mark().line + 1};
    if (row.kind != OptionKind::kList) {
      if (!value.IsScalar()) {
        return Fail(at, name + " must have one value");
      }
      read.values.push_back(value.Scalar());
      values.push_back(std::move(read));
      return;
    }
    if (!value.IsSequence()) {
      return Fail(at, name + " must be a list, such as [a, b]");
    }
    for (const YAML::Node& item : value) {
      if (!item.IsScalar()) {
        return Fail(at, name + " must be a list of texts");
      }
      read.values.push_back(item.Scalar());
    }
    values.push_back(std::move(read));
  }

  const std::string path_;
  std::string problem_;
  ConfigFile file_;
};

// Hears where a document begins and nothing else.
class DocumentStart : public YAML::EventHandler {
 public:
  const YAML::Mark& mark() const { return mark_; }

  void OnDocumentStart(const YAML::Mark& mark) override { mark_ = mark; }
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
  YAML::Mark mark_;
};

// YAML::LoadAll never ends on some texts, such as "\"\"t\n? ": there yaml-cpp
// 0.7 finds one more document for ever and reads no further.
std::optional<int> LineOfSecondDocument(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStart start;
  for (int documents = 0; documents < 2; ++documents) {
    if (!parser.HandleNextDocument(start)) return std::nullopt;
  }
  return start.mark().line + 1;
}

void ReadDocument(const std::string& text, Reader& reader) {
  if (const auto line = LineOfSecondDocument(text)) {
    return reader.Fail(*line, "a second document begins; keep one");
  }
  const YAML::Node document = YAML::Load(text);
  if (document.IsNull()) return;
  if (!document.IsMap()) {
    return reader.Fail(document,
                       "options are expected, such as log: {level: debug}");
  }
  reader.ReadMap(document, "");
}

}  // namespace

Result<ConfigFile> ParseConfigFile(std::string_view text,
                                   const std::string& path) {
  Reader reader(path);
  if (text.size() > kMaxConfigBytes) {
    reader.Fail("the file is larger than 1 MiB");
    return reader.error();
  }
  // yaml-cpp tells of mistakes by exceptions; none of them leaves this file.
  try {
    ReadDocument(std::string(text), reader);
  } catch (const YAML::Exception& e) {
    reader.Fail(e.mark.line + 1, "this is not YAML: " + e.msg);
  } catch (const std::exception& e) {
    reader.Fail(std::string("this cannot be read as YAML: ") + e.what());
  }
  if (reader.Failed()) return reader.error();
  return reader.Take();
}

std::string PlaceOf(const ConfigValue& value, const std::string& path) {
  return path + " line " + std::to_string(value.line) + ": " + value.row->name;
}

}  // namespace kem
