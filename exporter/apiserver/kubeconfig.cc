#include "apiserver/kubeconfig.h"

#include <yaml-cpp/yaml.h>

#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace kem {
namespace {

constexpr size_t kMaxKubeconfigBytes = size_t{4} << 20;
constexpr char kExecExtension[] = "client.authentication.k8s.io/exec";
// Aliases can expand a short YAML text to a huge tree, and an environment
// variable is limited to 128 KiB.
constexpr int kMaxExtensionNodes = 2000;
constexpr int kMaxExtensionDepth = 32;

// Reads fields of one YAML document and records the first problem. Missing and
// null fields are empty, as in Go.
class FieldReader {
 public:
  explicit FieldReader(std::string path) : path_(std::move(path)) {}

  const std::string& Path() const { return path_; }
  bool Failed() const { return !problem_.empty(); }
  Error error() const {
    return InvalidConfig("kubeconfig " + path_ + ": " + problem_);
  }
  void Fail(std::string problem) {
    if (!Failed()) problem_ = std::move(problem);
  }

  // The field; undefined when it is missing or null.
  YAML::Node Field(const YAML::Node& map, const char* key) {
    const YAML::Node value = map[key];
    if (!value.IsDefined() || value.IsNull()) {
      return YAML::Node(YAML::NodeType::Undefined);
    }
    return value;
  }

  // As Field, for a list.
  YAML::Node List(const YAML::Node& map, const char* key) {
    const YAML::Node list = Field(map, key);
    if (!list.IsDefined() || list.IsSequence()) return list;
    Fail(std::string(key) + " is not a list");
    return YAML::Node(YAML::NodeType::Undefined);
  }

  std::string Text(const YAML::Node& map, const char* key) {
    const YAML::Node value = Field(map, key);
    if (!value.IsDefined()) return "";
    if (!value.IsScalar()) {
      Fail(std::string(key) + " is not a string");
      return "";
    }
    return value.Scalar();
  }

  bool Flag(const YAML::Node& map, const char* key) {
    const YAML::Node value = Field(map, key);
    bool flag = false;
    if (value.IsDefined() && !YAML::convert<bool>::decode(value, flag)) {
      Fail(std::string(key) + " is neither true nor false");
    }
    return flag;
  }

  // A file name, absolute.
  std::string File(const YAML::Node& map, const char* key) {
    std::string name = Text(map, key);
    if (name.empty() || name.front() == '/') return name;
    const std::filesystem::path folder =
        std::filesystem::absolute(path_).parent_path();
    return (folder / name).lexically_normal().string();
  }

  std::vector<std::string> Texts(const YAML::Node& list, const char* key) {
    std::vector<std::string> texts;
    if (!list.IsDefined()) return texts;
    if (!list.IsSequence()) {
      Fail(std::string(key) + " is not a list");
      return texts;
    }
    for (const YAML::Node& item : list) {
      if (!item.IsScalar()) {
        Fail(std::string(key) + " has an item that is not a string");
        return texts;
      }
      texts.push_back(item.Scalar());
    }
    return texts;
  }

 private:
  std::string path_;
  std::string problem_;
};

// A plain scalar by YAML's core schema; quoted ones are strings.
nlohmann::json ScalarToJson(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;
  bool flag = false;
  // Kubernetes reads YAML 1.1's "yes" and "on" as strings.
  if ((text == "true" || text == "false") &&
      YAML::convert<bool>::decode(node, flag)) {
    return flag;
  }
  nlohmann::json number = nlohmann::json::parse(text, nullptr, false);
  if (number.is_number()) return number;
  return text;
}

// The tree as JSON; `left` < 0 when it is too large or too deep.
nlohmann::json ToJson(const YAML::Node& node, int& left, int depth) {
  if (--left < 0 || depth > kMaxExtensionDepth) {
    left = -1;
    return nullptr;
  }
  if (node.IsScalar()) return ScalarToJson(node);
  if (node.IsSequence()) {
    nlohmann::json list = nlohmann::json::array();
    for (const YAML::Node& item : node) {
      list.push_back(ToJson(item, left, depth + 1));
      if (left < 0) return nullptr;
    }
    return list;
  }
  if (!node.IsMap()) return nullptr;
  nlohmann::json map = nlohmann::json::object();
  for (const auto& item : node) {
    if (!item.first.IsScalar()) continue;
    map[item.first.Scalar()] = ToJson(item.second, left, depth + 1);
    if (left < 0) return nullptr;
  }
  return map;
}

std::string ReadExecExtension(const YAML::Node& cluster, FieldReader& fields) {
  const YAML::Node list = fields.Field(cluster, "extensions");
  if (!list.IsSequence()) return "";
  for (const YAML::Node& item : list) {
    if (!item.IsMap() || fields.Text(item, "name") != kExecExtension) continue;
    const YAML::Node value = fields.Field(item, "extension");
    if (!value.IsDefined()) return "";
    int left = kMaxExtensionNodes;
    const nlohmann::json json = ToJson(value, left, 0);
    if (left < 0) {
      fields.Fail(std::string("the extension ") + kExecExtension +
                  " is too large; the limit is 2000 values, 32 levels deep");
      return "";
    }
    return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  }
  return "";
}

KubeCluster ReadCluster(const YAML::Node& node, FieldReader& fields) {
  KubeCluster cluster;
  cluster.server = fields.Text(node, "server");
  cluster.tls_server_name = fields.Text(node, "tls-server-name");
  cluster.insecure_skip_tls_verify =
      fields.Flag(node, "insecure-skip-tls-verify");
  cluster.certificate_authority = fields.File(node, "certificate-authority");
  cluster.certificate_authority_data =
      fields.Text(node, "certificate-authority-data");
  cluster.proxy_url = fields.Text(node, "proxy-url");
  cluster.exec_config = ReadExecExtension(node, fields);
  return cluster;
}

KubeExec ReadExec(const YAML::Node& node, FieldReader& fields) {
  KubeExec exec;
  if (!node.IsMap()) {
    fields.Fail("exec is not a map");
    return exec;
  }
  exec.command = fields.Text(node, "command");
  // A bare name is looked up in PATH (client-go's GetAuthInfoFileReferences).
  if (exec.command.find('/') != std::string::npos) {
    exec.command = fields.File(node, "command");
  }
  exec.args = fields.Texts(fields.Field(node, "args"), "args");
  exec.api_version = fields.Text(node, "apiVersion");
  exec.install_hint = fields.Text(node, "installHint");
  exec.provide_cluster_info = fields.Flag(node, "provideClusterInfo");
  exec.interactive_mode = fields.Text(node, "interactiveMode");
  for (const YAML::Node& item : fields.List(node, "env")) {
    if (!item.IsMap()) {
      fields.Fail("env has an entry that is not a map");
      return exec;
    }
    exec.env.emplace_back(fields.Text(item, "name"),
                          fields.Text(item, "value"));
  }
  return exec;
}

KubeUser ReadUser(const YAML::Node& node, FieldReader& fields) {
  KubeUser user;
  user.client_certificate = fields.File(node, "client-certificate");
  user.client_certificate_data = fields.Text(node, "client-certificate-data");
  user.client_key = fields.File(node, "client-key");
  user.client_key_data = fields.Text(node, "client-key-data");
  user.token = fields.Text(node, "token");
  user.token_file = fields.File(node, "tokenFile");
  user.username = fields.Text(node, "username");
  user.password = fields.Text(node, "password");
  user.as = fields.Text(node, "as");
  user.as_uid = fields.Text(node, "as-uid");
  user.as_groups = fields.Texts(fields.Field(node, "as-groups"), "as-groups");
  const YAML::Node extra = fields.Field(node, "as-user-extra");
  if (extra.IsDefined() && !extra.IsMap()) {
    fields.Fail("as-user-extra is not a map");
  } else if (extra.IsDefined()) {
    for (const auto& item : extra) {
      if (!item.first.IsScalar()) {
        fields.Fail("as-user-extra has a key that is not a string");
        break;
      }
      user.as_user_extra[item.first.Scalar()] =
          fields.Texts(item.second, "as-user-extra");
    }
  }
  const YAML::Node exec = fields.Field(node, "exec");
  if (exec.IsDefined()) user.exec = ReadExec(exec, fields);
  user.has_auth_provider = fields.Field(node, "auth-provider").IsDefined();
  return user;
}

KubeContext ReadContext(const YAML::Node& node, FieldReader& fields) {
  KubeContext context;
  context.cluster = fields.Text(node, "cluster");
  context.user = fields.Text(node, "user");
  return context;
}

// Reads a list of the form clusters: [{name: a, cluster: {...}}].
template <typename Entry>
void ReadEntries(const YAML::Node& root, const char* list_key,
                 const char* entry_key,
                 Entry (*read)(const YAML::Node&, FieldReader&),
                 std::map<std::string, Entry>& entries, FieldReader& fields) {
  for (const YAML::Node& item : fields.List(root, list_key)) {
    if (!item.IsMap()) {
      fields.Fail(std::string(list_key) + " has an entry that is not a map");
      return;
    }
    const std::string name = fields.Text(item, "name");
    const YAML::Node body = fields.Field(item, entry_key);
    if (body.IsDefined() && !body.IsMap()) {
      fields.Fail(std::string(entry_key) + " " + name + " is not a map");
      return;
    }
    Entry entry = body.IsDefined() ? read(body, fields) : Entry();
    entry.origin = fields.Path();
    if (!entries.emplace(name, std::move(entry)).second) {
      fields.Fail(std::string(list_key) + " has two entries named " + name +
                  "; keep one of them");
      return;
    }
  }
}

Result<Kubeconfig> ReadDocument(const YAML::Node& root, FieldReader& fields) {
  Kubeconfig config;
  if (!root.IsDefined() || root.IsNull()) return config;
  if (!root.IsMap()) {
    fields.Fail("this is not a kubeconfig, because its top level is not a map");
    return fields.error();
  }
  const std::string kind = fields.Text(root, "kind");
  if (!kind.empty() && kind != "Config") {
    fields.Fail("this is not a kubeconfig, because its kind is " + kind);
  }
  config.current_context = fields.Text(root, "current-context");
  ReadEntries(root, "clusters", "cluster", ReadCluster, config.clusters,
              fields);
  ReadEntries(root, "users", "user", ReadUser, config.users, fields);
  ReadEntries(root, "contexts", "context", ReadContext, config.contexts,
              fields);
  if (fields.Failed()) return fields.error();
  return config;
}

}  // namespace

bool Kubeconfig::empty() const {
  return current_context.empty() && clusters.empty() && users.empty() &&
         contexts.empty();
}

Result<Kubeconfig> ParseKubeconfig(std::string_view text,
                                   const std::string& path) {
  FieldReader fields(path);
  if (text.size() > kMaxKubeconfigBytes) {
    fields.Fail("it is larger than 4 MiB");
    return fields.error();
  }
  // yaml-cpp reports errors by exceptions.
  try {
    return ReadDocument(YAML::Load(std::string(text)), fields);
  } catch (const YAML::Exception& e) {
    fields.Fail("it is not YAML: line " + std::to_string(e.mark.line + 1) +
                ": " + e.msg);
  } catch (const std::exception& e) {
    fields.Fail(std::string("it cannot be read as YAML: ") + e.what());
  }
  return fields.error();
}

void MergeKubeconfig(Kubeconfig& into, Kubeconfig from) {
  if (into.current_context.empty()) {
    into.current_context = std::move(from.current_context);
  }
  into.clusters.merge(from.clusters);
  into.users.merge(from.users);
  into.contexts.merge(from.contexts);
}

Result<Kubeconfig> LoadKubeconfigs(const std::vector<std::string>& paths,
                                   const FileReader& read) {
  Kubeconfig merged;
  std::set<std::string> seen;
  for (const std::string& path : paths) {
    if (path.empty() || !seen.insert(path).second) continue;
    const Result<std::optional<std::string>> text = read(path);
    if (!text) {
      return InvalidConfig("kubeconfig " + path + ": " + text.error().message);
    }
    if (!text->has_value()) continue;
    Result<Kubeconfig> config = ParseKubeconfig(**text, path);
    if (!config) return config.error();
    MergeKubeconfig(merged, std::move(*config));
  }
  return merged;
}

}  // namespace kem
