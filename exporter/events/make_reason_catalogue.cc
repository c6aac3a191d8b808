// A build tool: writes reason_catalogue.yaml and namespaced_reasons.yaml as the
// C++ table of reason_catalogue.h. Reports each mistake in the files in one
// line (file:line, what is wrong, how to fix it). Runs on the build machine.
//
//   make_reason_catalogue <catalogue.yaml>... <table.cc>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <iomanip>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "events/cluster_kinds.h"

namespace kem {
namespace {

constexpr std::string_view kCore = "kubernetes";
constexpr std::string_view kAny = "any";

using Keys = std::vector<std::string_view>;
const Keys kSourceKeys = {"source", "found_by", "groups"};
const Keys kGroupKeys = {"component", "reference", "scope",  "kinds", "types",
                         "severity",  "meaning",   "action", "rows"};
const Keys kRowKeys = {"component", "reference", "kinds",  "types",
                       "severity",  "meaning",   "action", "reasons"};

struct Kind {
  std::string name;
  std::string group;
};

struct Entry {
  Kind kind;
  std::string component, reason, type, severity, meaning, action, source;
  Kind found_by;
  bool namespaced = false;
  std::string file;
  int line = 0;

  auto Key() const {
    return std::tie(reason, type, kind.name, kind.group, component);
  }
};

// Whether the text has only ASCII letters, digits and `more`.
bool Consists(std::string_view text, std::string_view more = {}) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           more.find(c) != std::string_view::npos;
  });
}

bool IsCamelCase(std::string_view text, std::string_view more = {}) {
  return Consists(text, more) && text[0] >= 'A' && text[0] <= 'Z';
}

int Line(const YAML::Node& node) { return node.Mark().line + 1; }

class CatalogueReader {
 public:
  void ReadFile(const char* path) {
    file_ = path;
    sources_.clear();
    try {
      const YAML::Node root = YAML::LoadFile(path);
      if (!root.IsSequence()) {
        Complain(1, "the file must be a list of sources");
        return;
      }
      for (const YAML::Node& source : root) ReadSource(source);
    } catch (const YAML::BadFile&) {
      Complain(1, "cannot be read");
    } catch (const YAML::Exception& error) {
      Complain(error.mark.line + 1, error.msg);
    }
  }

  // To be called after the last file.
  void SortAndCheck() {
    std::stable_sort(
        entries_.begin(), entries_.end(),
        [](const Entry& a, const Entry& b) { return a.Key() < b.Key(); });
    for (size_t i = 1; i < entries_.size(); ++i) {
      const Entry& one = entries_[i];
      const Entry& twin = entries_[i - 1];
      if (one.Key() != twin.Key()) continue;
      file_ = one.file;
      Complain(one.line, one.reason + " (" + one.type + ") of " +
                             one.kind.name + " is already in line " +
                             std::to_string(twin.line) +
                             (twin.file == one.file ? "" : " of " + twin.file));
    }
  }

  void Complain(int line, const std::string& text) {
    std::fprintf(stderr, "%s:%d: %s\n", file_.c_str(), line, text.c_str());
    good_ = false;
  }

  bool good() const { return good_; }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  // Whether `node` is a mapping; reports unknown and duplicate keys.
  bool CheckKeys(const YAML::Node& node, const Keys& allowed,
                 const std::string& what) {
    if (!node.IsMap()) {
      Complain(Line(node), what + " must be a mapping");
      return false;
    }
    std::map<std::string, int> seen;
    for (const auto& pair : node) {
      const std::string& key = pair.first.Scalar();
      if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
        Complain(Line(pair.first), what + " has no key '" + key + "'");
      } else if (seen[key]++ > 0) {
        Complain(Line(pair.first), "duplicate key '" + key + "'");
      }
    }
    return true;
  }

  void ReadSource(const YAML::Node& source) {
    if (!CheckKeys(source, kSourceKeys, "a source")) return;
    Entry entry;
    entry.source = Text(source["source"], source, "source");
    if (sources_[entry.source]++ > 0) {
      Complain(Line(source), "duplicate source '" + entry.source + "'");
    }
    if (const YAML::Node found_by = source["found_by"]) {
      entry.found_by = ReadKind(found_by);
      if (entry.source == kCore) {
        Complain(Line(found_by), "only an add-on has found_by");
      }
    }
    ReadList(source, "groups", [&](const YAML::Node& group) {
      if (!CheckKeys(group, kGroupKeys, "a group")) return;
      entry.namespaced = static_cast<bool>(group["scope"]);
      if (entry.namespaced && group["scope"].Scalar() != "namespaced") {
        Complain(Line(group["scope"]), "scope must be namespaced, or left out");
      }
      ReadList(group, "rows", [&](const YAML::Node& row) {
        if (CheckKeys(row, kRowKeys, "a row")) ReadRow(group, row, entry);
      });
    });
  }

  void ReadRow(const YAML::Node& group, const YAML::Node& row, Entry entry) {
    const auto field = [&](const char* key) -> const YAML::Node {
      return row[key] ? row[key] : group[key];
    };
    const auto text = [&](const char* key) {
      return Text(field(key), row, key);
    };
    entry.file = file_;
    entry.line = Line(row);
    entry.component = text("component");
    if (!Consists(entry.component, "-_.")) {
      Complain(entry.line,
               "'" + entry.component +
                   "' is not a component name; use 'any' if it varies");
    }
    if (entry.component == kAny) entry.component.clear();
    entry.severity = text("severity");
    if (entry.severity != "critical" && entry.severity != "warning" &&
        entry.severity != "info") {
      Complain(entry.line, "severity '" + entry.severity +
                               "' must be critical, warning or info");
    }
    text("reference");
    entry.meaning = Sentence(text("meaning"), entry.line);
    entry.action = Sentence(text("action"), entry.line);
    const std::vector<Kind> kinds = ReadKinds(field("kinds"), row, entry);
    const auto each_type = [&](const YAML::Node& type) {
      entry.type = type.Scalar();
      if (entry.type != "Normal" && entry.type != "Warning") {
        Complain(Line(type),
                 "type '" + entry.type + "' must be Normal or Warning");
      }
      for (const Kind& kind : kinds) {
        entry.kind = kind;
        entries_.push_back(entry);
      }
    };
    ReadList(row, "reasons", [&](const YAML::Node& reason) {
      entry.reason = reason.Scalar();
      // The kubelet's OutOfephemeral-storage has a hyphen.
      if (!IsCamelCase(entry.reason, "-")) {
        Complain(Line(reason),
                 "'" + entry.reason + "' is not a reason; use CamelCase");
      }
      ReadList(row["types"] ? row : group, "types", each_type, Line(row));
    });
  }

  std::vector<Kind> ReadKinds(const YAML::Node& kinds, const YAML::Node& row,
                              const Entry& entry) {
    if (kinds && kinds.IsScalar() && kinds.Scalar() == kAny) return {Kind{}};
    std::vector<Kind> found;
    if (!kinds || !kinds.IsSequence() || kinds.size() == 0) {
      Complain(Line(row), "the row needs kinds: a list, or any");
      return found;
    }
    for (const YAML::Node& node : kinds) {
      const Kind kind = ReadKind(node);
      const auto built_in =
          entry.namespaced ? IsBuiltInNamespacedKind : IsBuiltInClusterKind;
      if (entry.source == kCore && !built_in(kind.group + "/v1", kind.name)) {
        Complain(Line(node),
                 "'" + node.Scalar() + "' is not a " +
                     (entry.namespaced ? "namespaced" : "cluster-scoped") +
                     " kind of Kubernetes (events/cluster_kinds.cc)");
      }
      found.push_back(kind);
    }
    return found;
  }

  Kind ReadKind(const YAML::Node& node) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    const size_t dot = text.find('.');
    Kind kind{text.substr(0, dot),
              dot == std::string::npos ? "" : text.substr(dot + 1)};
    if (!IsCamelCase(kind.name) ||
        (dot != std::string::npos && !Consists(kind.group, "-."))) {
      Complain(Line(node),
               "'" + text + "' is not a kind; use Kind or Kind.group");
    }
    return kind;
  }

  template <typename Each>
  void ReadList(const YAML::Node& parent, const char* key, const Each& each,
                int line = 0) {
    const YAML::Node list = parent[key];
    if (!list || !list.IsSequence() || list.size() == 0) {
      Complain(line > 0 ? line : Line(parent),
               std::string("a list '") + key + "' is missing or empty");
      return;
    }
    for (const YAML::Node& one : list) each(one);
  }

  std::string Text(const YAML::Node& node, const YAML::Node& parent,
                   const char* key) {
    if (node && node.IsScalar() && !node.Scalar().empty()) return node.Scalar();
    Complain(Line(parent), std::string("'") + key + "' is missing");
    return "-";
  }

  std::string Sentence(std::string text, int line) {
    if (text == "-") return text;
    if (text.find('\n') != std::string::npos || text.back() != '.') {
      Complain(line, "'" + text + "' must be one line that ends with a period");
    }
    return text;
  }

  std::string file_;
  std::vector<Entry> entries_;
  std::map<std::string, int> sources_;
  bool good_ = true;
};

bool Write(const std::vector<Entry>& entries, const char* path) {
  std::ofstream out(path, std::ios::binary);
  out << "// Made from the YAML files by make_reason_catalogue.\n"
         "#include <array>\n\n#include \"events/reason_catalogue.h\"\n\n"
         "namespace kem {\nnamespace {\n\n"
         "constexpr std::array<CatalogueReason, "
      << entries.size() << "> kReasons = {{\n";
  for (const Entry& e : entries) {
    std::string severity = e.severity;
    severity[0] = static_cast<char>(severity[0] - 'a' + 'A');
    out << "    {" << std::quoted(e.kind.name) << ", "
        << std::quoted(e.kind.group) << ", " << std::quoted(e.component) << ", "
        << std::quoted(e.reason) << ", " << std::quoted(e.type)
        << ", Severity::k" << severity << ", " << std::quoted(e.meaning) << ", "
        << std::quoted(e.action) << ", " << std::quoted(e.source) << ", "
        << std::quoted(e.found_by.name) << ", " << std::quoted(e.found_by.group)
        << ", " << (e.namespaced ? "true" : "false") << "},\n";
  }
  out << "}};\n\n}  // namespace\n\n"
         "std::span<const CatalogueReason> ReasonCatalogue() {\n"
         "  return kReasons;\n}\n\n}  // namespace kem\n";
  out.close();
  return out.good();
}

int Run(const std::vector<const char*>& inputs, const char* output) {
  CatalogueReader reader;
  for (const char* input : inputs) reader.ReadFile(input);
  reader.SortAndCheck();
  if (!reader.good()) return 1;
  if (Write(reader.entries(), output)) return 0;
  std::fprintf(stderr, "%s cannot be written\n", output);
  return 1;
}

}  // namespace
}  // namespace kem

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s <catalogue.yaml>... <table.cc>\n", argv[0]);
    return 2;
  }
  return kem::Run({argv + 1, argv + argc - 1}, argv[argc - 1]);
}
