#include "config/sink_entries.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "base/duration.h"
#include "config/collector_access.h"
#include "config/flags.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::string Quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

// Where relative file names begin.
struct Place {
  std::string folder;
  std::string File(const std::string& name) const {
    if (name.empty() || name.front() == '/' || name == "-") return name;
    return (std::filesystem::path(folder) / name).string();
  }
};

// What is wrong, worded to follow the key's name; empty when all is well.
using Take = std::string (*)(const std::string& value, const Place& place,
                             SinkConfig& sink);

std::string TakeNumber(const std::string& value, size_t least, size_t most,
                       size_t& number) {
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error == std::errc() && stop == end && number >= least &&
      number <= most) {
    return "";
  }
  return Quoted(value) + " must be a number from " + std::to_string(least) +
         " to " + std::to_string(most);
}

std::string TakeName(const std::string& value, const Place&, SinkConfig& sink) {
  if (!IsNamespaceName(value)) {
    return Quoted(value) +
           " must be lower-case letters, digits and hyphens, at most 63";
  }
  sink.queue.name = value;
  return "";
}

std::string TakeType(const std::string& value, const Place&, SinkConfig& sink) {
  for (size_t i = 0; i < kSinkTypeNames.size(); ++i) {
    if (kSinkTypeNames[i] != value) continue;
    sink.type = static_cast<SinkType>(i);
    return "";
  }
  return Quoted(value) + " must be log, otlp, mirror or annotate";
}

std::string TakeEntries(const std::string& value, const Place&,
                        SinkConfig& sink) {
  return TakeNumber(value, 1, 1'000'000, sink.queue.max_entries);
}

std::string TakeBytes(const std::string& value, const Place&,
                      SinkConfig& sink) {
  return TakeNumber(value, 65'536, size_t{1} << 30, sink.queue.max_bytes);
}

std::string TakeEndpoint(const std::string& value, const Place&,
                         SinkConfig& sink) {
  sink.endpoint = value;
  return "";
}

template <std::string SinkConfig::*kField>
std::string TakeFile(const std::string& value, const Place& place,
                     SinkConfig& sink) {
  if (value.empty()) return "must name a file";
  sink.*kField = place.File(value);
  return "";
}

std::string TakeTarget(const std::string& value, const Place&,
                       SinkConfig& sink) {
  if (!IsNamespaceName(value)) return Quoted(value) + " is no namespace name";
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
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= kMost && plain(text.front()) &&
         plain(text.back()) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return plain(c) || c == '-' || c == '_' || c == '.';
         });
}

// prefix/name, as the API server demands of label keys
// (k8s.io/apimachinery/pkg/util/validation, IsQualifiedName); the prefix is
// ours to demand, as labels without one belong to the cluster's users.
std::string TakeLabel(const std::string& value, const Place&,
                      SinkConfig& sink) {
  const std::string_view key = value;
  const size_t slash = std::min(key.find('/'), key.size());
  if (!IsDomain(key.substr(0, slash)) ||
      !IsLabelName(key.substr(std::min(slash + 1, key.size())))) {
    return Quoted(value) +
           " must be a label with a prefix, such as example.com/trouble";
  }
  sink.label = value;
  return "";
}

std::string TakeLabelTtl(const std::string& value, const Place&,
                         SinkConfig& sink) {
  const auto duration = ParseDuration(value);
  if (!duration || *duration < minutes(1) || *duration > hours(24 * 30)) {
    return Quoted(value) + " must be a duration from 1m to 720h";
  }
  sink.label_ttl = std::chrono::ceil<seconds>(*duration);
  return "";
}

struct Row {
  std::string_view key;
  // The type that has it; empty for all.
  std::string_view type;
  bool required;
  Take take;
};

constexpr Row kRows[] = {
    {"name", "", true, TakeName},
    {"type", "", true, TakeType},
    {"queue-entries", "", false, TakeEntries},
    {"queue-bytes", "", false, TakeBytes},
    {"path", "log", false, TakeFile<&SinkConfig::path>},
    {"endpoint", "otlp", true, TakeEndpoint},
    {"headers-file", "otlp", false, TakeFile<&SinkConfig::headers_file>},
    {"ca-file", "otlp", false, TakeFile<&SinkConfig::ca_file>},
    {"cert-file", "otlp", false, TakeFile<&SinkConfig::cert_file>},
    {"key-file", "otlp", false, TakeFile<&SinkConfig::key_file>},
    {"namespace", "namespace", true, TakeTarget},
    {"label", "annotate", false, TakeLabel},
    {"label-ttl", "annotate", false, TakeLabelTtl},
};

// The keys that a sink of this type may have.
std::string KeysOf(SinkType type) {
  std::string keys;
  for (const Row& row : kRows) {
    if (row.type.empty() || row.type == NameOf(type)) {
      keys.append(row.key).append(", ");
    }
  }
  return keys + "filter";
}

bool IsKindName(const std::string& kind) {
  return !kind.empty() && std::all_of(kind.begin(), kind.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
  });
}

class Maker {
 public:
  Maker(const std::string& path, const Environment& environment,
        const FileReader& read)
      : path_(path),
        place_{std::filesystem::path(path).parent_path().string()},
        environment_(environment),
        read_(read) {}

  void Add(const SinkEntry& entry) {
    SinkConfig sink;
    // The type first, whatever the order: it says which keys there are.
    for (const bool type : {true, false}) {
      for (const SinkValue& value : entry.values) {
        if ((value.key == "type") == type) TakeValue(value, sink);
      }
    }
    for (const Row& row : kRows) {
      if (!row.required ||
          (!row.type.empty() && row.type != NameOf(sink.type))) {
        continue;
      }
      if (std::none_of(entry.values.begin(), entry.values.end(),
                       [&](const auto& v) { return v.key == row.key; })) {
        Fail(entry.line, "has no " + std::string(row.key));
      }
    }
    TakeFilter(entry, sink);
    if (sink.type == SinkType::kOtlp) FindCollector(entry, sink);
    if (sink.type == SinkType::kAnnotate) JudgeAnnotate(entry, sink);
    if (!names_.insert(sink.queue.name).second) {
      Fail(entry.line, "has a name that another has: " + sink.queue.name);
    }
    // Two writers would tear each other's lines.
    if (sink.type == SinkType::kLog && !paths_.insert(sink.path).second) {
      Fail(entry.line, "has a path that another has: " + sink.path);
    }
    if (names_.size() > Outbox::kMaxSinks) {
      Fail(entry.line, "is one too many; there may be " +
                           std::to_string(Outbox::kMaxSinks));
    }
    sinks_.push_back(std::move(sink));
  }

  Result<std::vector<SinkConfig>> Done() && {
    if (problem_.empty()) return std::move(sinks_);
    return Error{ErrorCode::kInvalidConfig, problem_};
  }

 private:
  bool Failed() const { return !problem_.empty(); }
  void Fail(int line, const std::string& problem) {
    if (Failed()) return;
    problem_ =
        path_ + " line " + std::to_string(line) + ": the sink " + problem;
  }
  void Fail(const SinkValue& value, const std::string& problem) {
    if (!problem_.empty()) return;
    problem_ = path_ + " line " + std::to_string(value.line) + ": the sink's " +
               value.key + " " + problem;
  }

  void TakeValue(const SinkValue& value, SinkConfig& sink) {
    for (const Row& row : kRows) {
      if (row.key != value.key) continue;
      if (!row.type.empty() && row.type != NameOf(sink.type)) break;
      const std::string problem = row.take(value.text, place_, sink);
      if (!problem.empty()) Fail(value, problem);
      return;
    }
    Fail(value, "is no key of a sink of type " +
                    std::string(NameOf(sink.type)) + "; it may have " +
                    KeysOf(sink.type));
  }

  void FindCollector(const SinkEntry& entry, SinkConfig& sink) {
    if (sink.cert_file.empty() != sink.key_file.empty()) {
      return Fail(entry.line, "needs both cert-file and key-file, or neither");
    }
    if (Failed()) return;
    Result<ApiAccess> access = ResolveCollector(sink, environment_, read_);
    if (!access) {
      problem_ = path_ + " line " + std::to_string(entry.line) +
                 ": the sink's " + access.error().message;
      return;
    }
    sink.collector.access =
        std::make_shared<const ApiAccess>(std::move(*access));
  }

  // Its role must name each kind, and what is told is the last Warning of an
  // object that can be found by its name alone.
  void JudgeAnnotate(const SinkEntry& entry, SinkConfig& sink) {
    for (const ConfigValue& value : entry.filter) {
      const std::string_view name = value.row->name;
      if (name == "scope" || name == "namespaces" ||
          name.starts_with("types")) {
        Fail(value.line,
             "has the type annotate, which is for Warnings of cluster-scoped "
             "objects: its "
             "filter cannot have " +
                 std::string(name));
      }
    }
    const std::vector<std::string>& kinds = sink.filter.kinds.include;
    if (kinds.empty() || !std::all_of(kinds.begin(), kinds.end(), IsKindName)) {
      Fail(entry.line,
           "needs a filter that names the kinds to be annotated, such as "
           "{kinds: [Node, PersistentVolume]}");
    }
    sink.filter.types.include = {"Warning"};
    if (!labels_.insert(sink.label).second) {
      Fail(entry.line, "has a label that another has: " + sink.label);
    }
  }

  void TakeFilter(const SinkEntry& entry, SinkConfig& sink) {
    Options options;
    options.filter = sink.filter;
    for (const ConfigValue& value : entry.filter) {
      const std::string problem = value.row->take(value.values, options);
      if (!problem.empty() && problem_.empty()) {
        problem_ = PlaceOf(value, path_) + " " + problem;
      }
    }
    sink.filter = options.filter;
    if (sink.type != SinkType::kAnnotate && !sink.filter.namespaced &&
        !sink.filter.namespaces.empty()) {
      Fail(entry.line,
           "has a filter of namespaces that lets only cluster-scoped objects "
           "through, which have none; add scope: all or scope: namespaced");
    }
  }

  const std::string path_;
  const Place place_;
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
