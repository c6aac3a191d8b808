// Reads a YAML document strictly: each key is known and given once, and each
// value has its kind. Keeps the first violation with its line. Base of the
// readers in config_file.cc and web_config.cc, which judge the values.
#pragma once

#include <functional>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace YAML {  // NOLINT(readability-identifier-naming): yaml-cpp's own name
class Node;
}

namespace kem {

// After the first failure the calls have no effect and return empty values.
class StrictYaml {
 public:
  using NodeReader = std::function<void(const YAML::Node&)>;
  using PairReader =
      std::function<void(const YAML::Node& key, const YAML::Node& value)>;
  struct Field {
    const char* key;
    NodeReader read;
  };

  // Errors begin with `begin`, which names the file. Relative file names start
  // in the folder of `path`.
  StrictYaml(std::string begin, std::string path)
      : begin_(std::move(begin)), path_(std::move(path)) {}

  // Parses `text`, one document of at most 1 MiB, and calls `read` with its
  // root. Throws nothing.
  void ReadDocument(std::string_view text, const NodeReader& read);

  bool Failed() const { return !problem_.empty(); }
  // kInvalidConfig, one sentence.
  Error error() const;
  // `line` counts from 1; 0 when it is unknown.
  void Fail(int line, const std::string& problem);
  void Fail(const YAML::Node& at, const std::string& problem);

  // A map of these keys only. Null values count as absent.
  void ReadMap(const YAML::Node& map, const std::string& name,
               std::initializer_list<Field> fields);
  // A map of any keys, which are scalars. A null value has no line of its own:
  // report it at its key. A merge key, "<<: *map" or "<<: [*one, *two]", adds
  // the pairs whose keys the map itself lacks, as YAML 1.1 defines it.
  void ReadPairs(const YAML::Node& map, const std::string& name,
                 const PairReader& read);

  // `what` names the value in the failure.
  std::string Text(const YAML::Node& node, const std::string& what);
  std::string File(const YAML::Node& node, const std::string& what);
  bool Flag(const YAML::Node& node, const std::string& what);
  std::vector<std::string> Texts(const YAML::Node& node,
                                 const std::string& what);
  // The index of `text` among the choices.
  size_t OneOf(const YAML::Node& node, const std::string& text,
               const std::string& what,
               std::initializer_list<std::string_view> choices);

 private:
  // Skips keys in `seen` and adds the others to it.
  void ReadPairs(const YAML::Node& map, const std::string& name,
                 const PairReader& read, std::set<std::string>& seen);
  void ReadMerged(const YAML::Node& merged, const std::string& name,
                  const PairReader& read, std::set<std::string>& seen);

  const std::string begin_;
  const std::string path_;
  int merges_ = 0;
  std::string problem_;
};

}  // namespace kem
