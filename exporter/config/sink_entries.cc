#include "config/sink_entries.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/duration.h"
#include "config/collector_access.h"
#include "config/sink_values.h"

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
  return Quoted(value) + " must be log, otlp, mirror, annotate or history";
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

std::string TakeLabel(const std::string& value, SinkConfig& sink) {
  sink.label = value;
  if (IsLabelKey(value)) return "";
  return Quoted(value) +
         " must be a label key with a prefix, such as example.com/trouble";
}

std::string TakeLabelTtl(const std::string& value, SinkConfig& sink) {
  const auto duration = ParseDuration(value);
  if (!duration || *duration < minutes(1) || *duration > hours(24 * 30)) {
    return Quoted(value) + " must be a duration from 1m to 720h";
  }
  sink.label_ttl = std::chrono::ceil<seconds>(*duration);
  return "";
}

std::string TakeKeep(const std::string& value, SinkConfig& sink) {
  const auto duration = ParseDuration(value);
  if (!duration || *duration < hours(1) || *duration > hours(24 * 400)) {
    return Quoted(value) + " must be a duration from 1h to 400d";
  }
  sink.history.keep = std::chrono::ceil<seconds>(*duration);
  return "";
}

std::string TakeMaxSize(const std::string& value, SinkConfig& sink) {
  const std::optional<uint64_t> bytes = ParseSize(value);
  if (!bytes || *bytes < HistoryLimits::kMinBytes ||
      *bytes > HistoryLimits::kMaxBytes) {
    return Quoted(value) + " must be a size from 32MiB to 1TiB, such as 512MiB";
  }
  sink.history.max_bytes = *bytes;
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

constexpr unsigned Bit(SinkType type) {
  return 1U << static_cast<unsigned>(type);
}
constexpr unsigned kOfAll = ~0U;
constexpr unsigned kOfLog = Bit(SinkType::kLog);
constexpr unsigned kOfOtlp = Bit(SinkType::kOtlp);
constexpr unsigned kOfMirror = Bit(SinkType::kMirror);
constexpr unsigned kOfAnnotate = Bit(SinkType::kAnnotate);
constexpr unsigned kOfHistory = Bit(SinkType::kHistory);

struct Row {
  std::string_view key;
  unsigned types;  // of sink that have the key
  bool required;
  // One of the three takes the value: `file` is set to the name of a file.
  Take take;
  std::string SinkConfig::*file = nullptr;
  Attributes SinkConfig::*attributes = nullptr;

  bool IsFor(SinkType type) const { return (types & Bit(type)) != 0; }
};

constexpr Row kRows[] = {
    {"name", kOfAll, true, TakeName},
    {"type", kOfAll, true, TakeType},
    {"queue-entries", kOfAll, false, TakeEntries},
    {"queue-bytes", kOfAll, false, TakeBytes},
    {"every", kOfAll, false, TakeEvery},
    {"path", kOfLog, false, nullptr, &SinkConfig::path},
    {"path", kOfHistory, true, nullptr, &SinkConfig::path},
    {"keep", kOfHistory, false, TakeKeep},
    {"max-size", kOfHistory, false, TakeMaxSize},
    {"endpoint", kOfOtlp, true, TakeEndpoint},
    {"headers-file", kOfOtlp, false, nullptr, &SinkConfig::headers_file},
    {"ca-file", kOfOtlp, false, nullptr, &SinkConfig::ca_file},
    {"cert-file", kOfOtlp, false, nullptr, &SinkConfig::cert_file},
    {"key-file", kOfOtlp, false, nullptr, &SinkConfig::key_file},
    {"encoding", kOfOtlp, false, TakeEncoding},
    {"compression", kOfOtlp, false, TakeCompression},
    {"resource-attributes", kOfLog | kOfOtlp, false, nullptr, nullptr,
     &SinkConfig::resource_attributes},
    {"labels", kOfLog | kOfOtlp, false, nullptr, nullptr, &SinkConfig::labels},
    {"namespace", kOfMirror, true, TakeTarget},
    {"label", kOfAnnotate, false, TakeLabel},
    {"label-ttl", kOfAnnotate, false, TakeLabelTtl},
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
    if (sink.type == SinkType::kHistory) CheckHistory(entry, sink);
    // Two writers would interleave their lines.
    if ((sink.type == SinkType::kLog || sink.type == SinkType::kHistory) &&
        !paths_.insert(sink.path).second) {
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
      sink.*row.attributes = *value.map;
      return ProblemWithAttributes(*value.map);
    }
    if (value.map) return "must be a single value";
    return row.file != nullptr ? TakeFile(value.text, sink.*row.file)
                               : row.take(value.text, sink);
  }

  void TakeValue(const SinkValue& value, SinkConfig& sink) {
    for (const Row& row : kRows) {
      if (row.key != value.key || !row.IsFor(sink.type)) continue;
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

  // The API and the pages read one history.
  void CheckHistory(const SinkEntry& entry, const SinkConfig& sink) {
    if (sink.path == "-") {
      Fail(entry.line, "'s path must name a file, such as history.db");
    }
    if (std::any_of(sinks_.begin(), sinks_.end(), [](const auto& other) {
          return other.type == SinkType::kHistory;
        })) {
      Fail(entry.line, " is the second one of type history; keep one");
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
