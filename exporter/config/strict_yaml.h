// A YAML document read strictly: each key known and once, each value of its
// kind, and the first thing that is not so told with its line. Used by
// web_config.cc. Holds no document and judges no value beyond its kind.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace YAML {  // NOLINT(readability-identifier-naming): yaml-cpp's own name
class Node;
}

namespace kem {

// `text` in double quotes.
std::string QuotedText(const std::string& text);

// Calls after the first failure do nothing that matters.
class StrictYaml {
 public:
  using NodeReader = std::function<void(const YAML::Node&)>;
  using PairReader =
      std::function<void(const YAML::Node& value, const std::string& key)>;
  struct Field {
    const char* key;
    NodeReader read;
  };

  // `flag` gave the file `path`; both are for errors, and relative file names
  // start in its folder.
  StrictYaml(const std::string& flag, const std::string& path)
      : path_(path), begin_(flag + " " + path) {}

  bool Failed() const { return !problem_.empty(); }
  // kInvalidConfig, one sentence.
  Error error() const;
  // `line` counts from 1; 0 is no certain one.
  void Fail(int line, const std::string& problem);
  void Fail(const YAML::Node& at, const std::string& problem);

  // A map whose keys may be these. Null values are absent.
  void ReadMap(const YAML::Node& map, const std::string& name,
               std::initializer_list<Field> fields);
  // A map of any keys; null values come as undefined nodes.
  void ReadPairs(const YAML::Node& map, const std::string& name,
                 const PairReader& read);

  // `what` names the value in the failure.
  std::string Text(const YAML::Node& node, const std::string& what);
  std::string File(const YAML::Node& node, const std::string& what);
  bool Flag(const YAML::Node& node, const std::string& what);
  std::vector<std::string> Texts(const YAML::Node& node,
                                 const std::string& what);
  // The text's place among the choices.
  size_t OneOf(const YAML::Node& node, const std::string& text,
               const std::string& what,
               std::initializer_list<std::string_view> choices);

 private:
  const std::string path_;
  const std::string begin_;
  std::string problem_;
};

}  // namespace kem
