#include "config/config_file.h"

#include <yaml-cpp/yaml.h>

#include <utility>

#include "base/ascii.h"
#include "config/filter_values.h"
#include "config/strict_yaml.h"

namespace kem {
namespace {

constexpr char kSinks[] = "sinks";

// Whether options are nested below this key, which is no option itself.
bool IsGroup(const std::string& name) {
  if (FindOption(name) != nullptr) return false;
  for (const OptionRow& row : OptionTable()) {
    if (std::string_view(row.name).starts_with(name + ".")) return true;
  }
  return false;
}

// The option below which this one is named; null for most.
const OptionRow* FindParent(const std::string& name) {
  const size_t dot = name.rfind('.');
  return dot == std::string::npos ? nullptr : FindOption(name.substr(0, dot));
}

// The end of an error about a map: how to write the options named below this.
std::string KeysBelow(const std::string& name) {
  for (const OptionRow& row : OptionTable()) {
    const OptionRow* parent = FindParent(row.name);
    if (parent != nullptr && parent->name == name) {
      return "; " + std::string(row.name) + " is a key of its own";
    }
  }
  return "";
}

int LineOf(const YAML::Node& node) { return node.Mark().line + 1; }

class Reader : public StrictYaml {
 public:
  using Node = YAML::Node;

  explicit Reader(const std::string& path) : StrictYaml(path, path) {}

  void ReadRoot(const Node& root) {
    if (!root.IsMap() && !root.IsNull()) {
      return Fail(root,
                  "the file must be a map of options, such as log: {level: "
                  "debug}");
    }
    ReadOptions(root, "");
  }
  ConfigFile Take() { return std::move(file_); }

 private:
  // Goes no deeper than the options' names have dots.
  void ReadOptions(const Node& map, const std::string& prefix) {
    ReadPairs(map, "the map", [&](const Node& key, const Node& value) {
      ReadEntry(key, value, prefix + key.Scalar());
    });
  }

  void ReadEntry(const Node& key, const Node& value, const std::string& name) {
    if (name == kSinks) return ReadSinks(key, value);
    if (IsGroup(name)) {
      if (!value.IsMap()) {
        return Fail(key, name + " must be a map of the options that --help " +
                             "lists as --" + name + ".<name>");
      }
      return ReadOptions(value, name + ".");
    }
    const std::string sinks_only = SinkFilterOnly(name);
    if (!sinks_only.empty()) return Fail(key, name + " " + sinks_only);
    const OptionRow* row = FindOption(name);
    const bool dotted = key.Scalar().find('.') != std::string::npos;
    if (row == nullptr || (dotted && FindParent(name) == nullptr)) {
      return Fail(key, "there is no option " + name +
                           "; --help lists the options, and each dot in a "
                           "name is a level in the file");
    }
    if (name == kConfigFileOption) {
      return Fail(key, name + " can only be given on the command line");
    }
    ReadValue(*row, key, value, file_.values);
  }

  void ReadSinks(const Node& key, const Node& list) {
    if (list.IsNull()) return;
    if (!list.IsSequence()) {
      return Fail(key, "sinks must be a list of maps with a name and a type");
    }
    for (const Node& item : list) {
      if (Failed()) return;
      if (!item.IsMap()) {
        return Fail(item,
                    "each entry of sinks must be a map, such as {name: audit, "
                    "type: log}");
      }
      SinkEntry& entry = file_.sinks.emplace_back();
      entry.line = LineOf(item);
      ReadPairs(item, "the sink", [&](const Node& k, const Node& value) {
        ReadSink(k, value, entry);
      });
    }
  }

  void ReadSink(const Node& key, const Node& value, SinkEntry& entry) {
    if (key.Scalar() == "filter") return ReadFilter(key, value, entry);
    const std::string name = "the sink's " + key.Scalar();
    SinkValue& read =
        entry.values.emplace_back(SinkValue{key.Scalar(), "", LineOf(key)});
    if (value.IsMap()) {
      read.map.emplace();
      ReadPairs(value, name, [&](const Node& k, const Node& one) {
        if (!one.IsScalar()) {
          return Fail(
              k, name + ": " + Quoted(k.Scalar()) + " must be a single value");
        }
        read.map->emplace(k.Scalar(), one.Scalar());
      });
    } else if (value.IsScalar()) {
      read.text = value.Scalar();
    } else {
      Fail(key, name + " must be a single value");
    }
  }

  void ReadFilter(const Node& at, const Node& map, SinkEntry& entry) {
    if (!map.IsMap()) {
      return Fail(at,
                  "the sink's filter must be a map, such as {kinds: [Node]}");
    }
    ReadPairs(map, "the sink's filter",
              [&](const Node& key, const Node& value) {
                const OptionRow* row = FindSinkFilterKey(key.Scalar());
                if (row == nullptr) {
                  return Fail(
                      key, "the sink's filter has the unknown key " +
                               Quoted(key.Scalar()) +
                               "; valid keys are scope, and namespaces, "
                               "objects, kinds, reasons, types, components and "
                               "messages, each also with -exclude");
                }
                ReadValue(*row, key, value, entry.filter);
              });
  }

  void ReadValue(const OptionRow& row, const Node& key, const Node& value,
                 std::vector<ConfigValue>& values) {
    ConfigValue read{&row, {}, LineOf(key)};
    if (row.kind == OptionKind::kList) {
      if (!value.IsSequence()) {
        return Fail(key,
                    std::string(row.name) + " must be a list, such as [a, b]");
      }
      read.values = Texts(value, row.name);
    } else if (value.IsScalar()) {
      read.values.push_back(value.Scalar());
    } else {
      return Fail(key, std::string(row.name) + " must be a single value" +
                           KeysBelow(row.name));
    }
    values.push_back(std::move(read));
  }

  ConfigFile file_;
};

}  // namespace

Result<ConfigFile> ParseConfigFile(std::string_view text,
                                   const std::string& path) {
  Reader reader(path);
  reader.ReadDocument(text,
                      [&](const YAML::Node& root) { reader.ReadRoot(root); });
  if (reader.Failed()) return reader.error();
  return reader.Take();
}

std::string PlaceOf(const ConfigValue& value, const std::string& path) {
  return path + " line " + std::to_string(value.line) + ": " + value.row->name;
}

}  // namespace kem
