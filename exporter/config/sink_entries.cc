#include "config/sink_entries.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/duration.h"
#include "config/collector_access.h"
#include "sinks/record_fields.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Returns what is wrong, worded to follow the key's name; empty on success.
using Take = std::string (*)(const std::string& value, SinkConfig& sink);

std::string TakeName(const std::string& value, SinkConfig& sink) {
  if (!IsNamespaceName(value)) {
    return Quoted(value) +
           " must be at most 63 lowercase letters, digits and hyphens";
  }
  sink.queue.name = value;
  return "";
}

std::string TakeType(const std::string& value, SinkConfig& sink) {
  for (size_t i = 0; i < kSinkTypeNames.size(); ++i) {
    if (kSinkTypeNames[i] != value) continue;
    sink.type = static_cast<SinkType>(i);
    return "";
  }
  return Quoted(value) + " must be log, otlp, mirror or annotate";
}

std::string TakeEntries(const std::string& value, SinkConfig& sink) {
  return TakeNumber(value, 1, 1'000'000, sink.queue.max_entries);
}

std::string TakeBytes(const std::string& value, SinkConfig& sink) {
  return TakeNumber(value, 65'536, size_t{1} << 30, sink.queue.max_bytes);
}

std::string TakeEvery(const std::string& value, SinkConfig& sink) {
  const auto duration = ParseDuration(value);
  if (!duration || *duration < seconds(1) || *duration > hours(24)) {
    return Quoted(value) + " must be a duration from 1s to 24h";
  }
  sink.every = std::chrono::ceil<seconds>(*duration);
  sink.queue.joins = true;
  return "";
}

std::string TakeEndpoint(const std::string& value, SinkConfig& sink) {
  sink.endpoint = value;
  return "";
}

std::string TakeTarget(const std::string& value, SinkConfig& sink) {
  if (!IsNamespaceName(value))
    return Quoted(value) + " is not a namespace name";
  sink.target_namespace = value;
  return "";
}

// A dotted name such as example.com.
bool IsDomain(std::string_view text) {
  constexpr size_t kMost = 253;
  if (text.size() > kMost) return false;
  for (size_t dot = 0; dot != std::string_view::npos;) {
    dot = text.find('.');
    if (!IsNamespaceName(text.substr(0, dot))) return false;
    if (dot != std::string_view::npos) text.remove_prefix(dot + 1);
  }
  return true;
}

bool IsLabelName(std::string_view text) {
  constexpr size_t kMost = 63;
  return !text.empty() && text.size() <= kMost &&
         IsAsciiAlphanumeric(text.front()) &&
         IsAsciiAlphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsAsciiAlphanumeric(c) || c == '-' || c == '_' || c == '.';
         });
}

// prefix/name, as the API server requires for label keys
// (k8s.io/apimachinery/pkg/util/validation, IsQualifiedName). The exporter also
// requires the prefix: keys without one belong to the cluster's users.
std::string TakeLabel(const std::string& value, SinkConfig& sink) {
  const std::string_view key = value;
  const size_t slash = std::min(key.find('/'), key.size());
  if (!IsDomain(key.substr(0, slash)) ||
      !IsLabelName(key.substr(std::min(slash + 1, key.size())))) {
    return Quoted(value) +
           " must be a label key with a prefix, such as example.com/trouble";
  }
  sink.label = value;
  return "";
}

std::string TakeLabelTtl(const std::string& value, SinkConfig& sink) {
  const auto duration = ParseDuration(value);
  if (!duration || *duration < minutes(1) || *duration > hours(24 * 30)) {
    return Quoted(value) + " must be a duration from 1m to 720h";
  }
  sink.label_ttl = std::chrono::ceil<seconds>(*duration);
  return "";
}

std::string TakeEncoding(const std::string& value, SinkConfig& sink) {
  sink.encoding =
      value == "json" ? OtlpEncoding::kJson : OtlpEncoding::kProtobuf;
  if (value == "json" || value == "protobuf") return "";
  return Quoted(value) + " must be protobuf or json";
}

std::string TakeCompression(const std::string& value, SinkConfig& sink) {
  sink.gzip = value == "gzip";
  if (value == "gzip" || value == "none") return "";
  return Quoted(value) + " must be gzip or none";
}

// The limits keep constant attributes a small part of a record.
std::string TakeAttributes(const Attributes& value, Attributes& attributes) {
  constexpr size_t kMost = 32;
  constexpr size_t kMaxName = 128;
  constexpr size_t kMaxText = 256;
  if (value.size() > kMost) {
    return "must have at most " + std::to_string(kMost) + " names";
  }
  for (const auto& [name, text] : value) {
    if (name.empty() || name.size() > kMaxName || IsAsciiDigit(name.front()) ||
        !std::all_of(name.begin(), name.end(), [](char c) {
          return IsAsciiAlphanumeric(c) || c == '.' || c == '_' || c == '-' ||
                 c == '/';
        })) {
      return "has the name " + Quoted(name) +
             ", which must be letters, digits, '.', '_', '-' and '/', and not "
             "begin with a digit";
    }
    if (IsReservedAttribute(name)) {
      return "must not set " + name + ", which the exporter sets";
    }
    if (text.empty() || text.size() > kMaxText ||
        std::any_of(text.begin(), text.end(), IsAsciiControl)) {
      return "must give " + name + " a value of 1 to " +
             std::to_string(kMaxText) + " bytes without control characters";
    }
  }
  attributes = value;
  return "";
}

// The types that write records of sinks/record_fields.h.
constexpr std::string_view kRecordTypes = "log, otlp";

struct Row {
  std::string_view key;
  // The types of sink that have the key; empty for all.
  std::string_view types;
  bool required;
  // One of the three takes the value: `file` is set to the name of a file.
  Take take;
  std::string SinkConfig::*file = nullptr;
  Attributes SinkConfig::*attributes = nullptr;

  // No name of a type is part of another one.
  bool IsFor(SinkType type) const {
    return types.empty() || types.find(NameOf(type)) != std::string_view::npos;
  }
};

constexpr Row kRows[] = {
    {"name", "", true, TakeName},
    {"type", "", true, TakeType},
    {"queue-entries", "", false, TakeEntries},
    {"queue-bytes", "", false, TakeBytes},
    {"every", "", false, TakeEvery},
    {"path", "log", false, nullptr, &SinkConfig::path},
    {"endpoint", "otlp", true, TakeEndpoint},
    {"headers-file", "otlp", false, nullptr, &SinkConfig::headers_file},
    {"ca-file", "otlp", false, nullptr, &SinkConfig::ca_file},
    {"cert-file", "otlp", false, nullptr, &SinkConfig::cert_file},
    {"key-file", "otlp", false, nullptr, &SinkConfig::key_file},
    {"encoding", "otlp", false, TakeEncoding},
    {"compression", "otlp", false, TakeCompression},
    {"resource-attributes", kRecordTypes, false, nullptr, nullptr,
     &SinkConfig::resource_attributes},
    {"labels", kRecordTypes, false, nullptr, nullptr, &SinkConfig::labels},
    {"namespace", "mirror", true, TakeTarget},
    {"label", "annotate", false, TakeLabel},
    {"label-ttl", "annotate", false, TakeLabelTtl},
};

// The keys of a sink of this type.
std::string KeysOf(SinkType type) {
  std::string keys;
  for (const Row& row : kRows) {
    if (row.IsFor(type)) {
      keys.append(row.key).append(", ");
    }
  }
  return keys + "filter";
}

bool IsKindName(const std::string& kind) {
  return !kind.empty() && std::all_of(kind.begin(), kind.end(), [](char c) {
    return IsAsciiAlphanumeric(c);
  });
}

class Maker {
 public:
  Maker(const std::string& path, const Environment& environment,
        const FileReader& read)
      : path_(path), environment_(environment), read_(read) {}

  void Add(const SinkEntry& entry) {
    SinkConfig sink;
    // The type first: it decides which keys are valid.
    for (const bool type : {true, false}) {
      for (const SinkValue& value : entry.values) {
        if ((value.key == "type") == type) TakeValue(value, sink);
      }
    }
    for (const Row& row : kRows) {
      if (!row.required || !row.IsFor(sink.type)) continue;
      if (std::none_of(entry.values.begin(), entry.values.end(),
                       [&](const auto& v) { return v.key == row.key; })) {
        Fail(entry.line, " has no " + std::string(row.key));
      }
    }
    TakeFilter(entry, sink);
    CheckLabels(entry, sink);
    if (sink.type == SinkType::kOtlp) FindCollector(entry, sink);
    if (sink.type == SinkType::kAnnotate) CheckAnnotate(entry, sink);
    if (!names_.insert(sink.queue.name).second) {
      Fail(entry.line, " has the name of another sink: " + sink.queue.name);
    }
    // Two writers would interleave their lines.
    if (sink.type == SinkType::kLog && !paths_.insert(sink.path).second) {
      Fail(entry.line, " has the path of another sink: " + sink.path);
    }
    if (names_.size() > Outbox::kMaxSinks) {
      Fail(entry.line, " exceeds the maximum of " +
                           std::to_string(Outbox::kMaxSinks) + " sinks");
    }
    sinks_.push_back(std::move(sink));
  }

  Result<std::vector<SinkConfig>> Done() && {
    if (problem_.empty()) return std::move(sinks_);
    return InvalidConfig(problem_);
  }

 private:
  bool Failed() const { return !problem_.empty(); }
  // `problem` follows "the sink".
  void Fail(int line, const std::string& problem) {
    if (Failed()) return;
    problem_ = path_ + " line " + std::to_string(line) + ": the sink" + problem;
  }

  // A relative name starts in the folder of the configuration file.
  std::string TakeFile(const std::string& name, std::string& file) const {
    if (name.empty()) return "must name a file";
    const std::filesystem::path folder =
        std::filesystem::path(path_).parent_path();
    file = name == "-" ? name : (folder / name).string();
    return "";
  }

  std::string ProblemWith(const SinkValue& value, const Row& row,
                          SinkConfig& sink) const {
    if (row.attributes != nullptr) {
      if (!value.map) return "must be a map, such as {team: infra}";
      return TakeAttributes(*value.map, sink.*row.attributes);
    }
    if (value.map) return "must be a single value";
    return row.file != nullptr ? TakeFile(value.text, sink.*row.file)
                               : row.take(value.text, sink);
  }

  void TakeValue(const SinkValue& value, SinkConfig& sink) {
    for (const Row& row : kRows) {
      if (row.key != value.key) continue;
      if (!row.IsFor(sink.type)) break;
      const std::string problem = ProblemWith(value, row, sink);
      if (!problem.empty()) Fail(value.line, "'s " + value.key + " " + problem);
      return;
    }
    Fail(value.line, "'s " + value.key + " is not a key of type " +
                         std::string(NameOf(sink.type)) + "; valid keys are " +
                         KeysOf(sink.type));
  }

  // In the lines of the type log they would be one key.
  void CheckLabels(const SinkEntry& entry, const SinkConfig& sink) {
    for (const auto& [name, value] : sink.labels) {
      if (!sink.resource_attributes.contains(name)) continue;
      Fail(entry.line, " has " + name +
                           " in both labels and resource-attributes; keep one");
    }
  }

  void FindCollector(const SinkEntry& entry, SinkConfig& sink) {
    if (sink.cert_file.empty() != sink.key_file.empty()) {
      return Fail(entry.line,
                  " must have both cert-file and key-file, or neither");
    }
    if (Failed()) return;
    Result<ServerAccess> access = ResolveCollector(sink, environment_, read_);
    if (!access) return Fail(entry.line, "'s " + access.error().message);
    sink.collector.access =
        std::make_shared<const ServerAccess>(std::move(*access));
  }

  // The sink annotates Warnings of objects that a name alone identifies, and
  // its role names each kind.
  void CheckAnnotate(const SinkEntry& entry, SinkConfig& sink) {
    for (const ConfigValue& value : entry.filter) {
      const std::string_view name = value.row->name;
      if (name == "scope" || name.starts_with("namespaces") ||
          name.starts_with("types")) {
        Fail(value.line,
             " has the type annotate, which is for Warnings of cluster-scoped "
             "objects: remove " +
                 std::string(name) + " from its filter");
      }
    }
    const std::vector<std::string>& kinds = sink.filter.kinds.include;
    if (kinds.empty() || !std::all_of(kinds.begin(), kinds.end(), IsKindName)) {
      Fail(entry.line,
           " must have a filter that names the kinds to annotate, such as "
           "{kinds: [Node, PersistentVolume]}");
    }
    sink.filter.types.include = {"Warning"};
    if (!labels_.insert(sink.label).second) {
      Fail(entry.line, " has the label of another sink: " + sink.label);
    }
  }

  void TakeFilter(const SinkEntry& entry, SinkConfig& sink) {
    for (const ConfigValue& value : entry.filter) {
      const std::string problem =
          value.row->take_filter(value.values, sink.filter);
      if (!problem.empty() && !Failed()) {
        problem_ = PlaceOf(value, path_) + " " + problem;
      }
    }
    const FilterList& namespaces = sink.filter.namespaces;
    if (sink.type != SinkType::kAnnotate && !sink.filter.namespaced &&
        namespaces != FilterList()) {
      const std::string key =
          namespaces.include.empty() ? "namespaces-exclude" : "namespaces";
      Fail(entry.line, " has " + key +
                           " in its filter but the scope cluster; add scope: "
                           "namespaced or scope: all");
    }
  }

  const std::string path_;
  const Environment& environment_;
  const FileReader& read_;
  std::string problem_;
  std::set<std::string> labels_;
  std::set<std::string> names_;
  std::set<std::string> paths_;
  std::vector<SinkConfig> sinks_;
};

}  // namespace

Result<std::vector<SinkConfig>> MakeSinkConfigs(
    const std::vector<SinkEntry>& entries, const std::string& path,
    const Environment& environment, const FileReader& read) {
  Maker maker(path, environment, read);
  for (const SinkEntry& entry : entries) maker.Add(entry);
  return std::move(maker).Done();
}

}  // namespace kem
