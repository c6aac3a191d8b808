#include "apiserver/kubeconfig.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "apiserver/yaml_json.h"
#include "base/json_text.h"

namespace kem {
namespace {

using nlohmann::json;

constexpr size_t kMaxKubeconfigBytes = size_t{4} << 20;
constexpr char kExecExtension[] = "client.authentication.k8s.io/exec";
// An environment variable is limited to 128 KiB.
constexpr size_t kMaxExtension = size_t{64} << 10;

// Reads fields of one document and records the first problem. Missing and null
// fields are empty, as in Go.
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

  // The field; null when it is missing.
  static const json& Field(const json& map, const char* key) {
    const auto found = map.find(key);
    return found == map.end() ? Null() : *found;
  }

  // As Field, for a list.
  const json& List(const json& map, const char* key) {
    const json& list = Field(map, key);
    if (list.is_array() || list.is_null()) return list;
    Fail(std::string(key) + " is not a list");
    return Null();
  }

  // `what` begins the sentence if it is no text.
  std::string Text(const json& value, const std::string& what) {
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_null()) {
      Fail(what + " is not a string" +
           (value.is_structured() ? "" : "; put quotes around it"));
    }
    return "";
  }

  std::string TextField(const json& map, const char* key) {
    return Text(Field(map, key), key);
  }

  bool Flag(const json& map, const char* key) {
    const json& value = Field(map, key);
    if (value.is_boolean()) return value.get<bool>();
    if (!value.is_null()) Fail(std::string(key) + " is neither true nor false");
    return false;
  }

  // A file name, absolute.
  std::string File(const json& map, const char* key) {
    std::string name = TextField(map, key);
    if (name.empty() || name.front() == '/') return name;
    const std::filesystem::path folder =
        std::filesystem::absolute(path_).parent_path();
    return (folder / name).lexically_normal().string();
  }

  std::vector<std::string> Texts(const json& list, const char* key) {
    std::vector<std::string> texts;
    if (!list.is_array() && !list.is_null()) {
      Fail(std::string(key) + " is not a list");
      return texts;
    }
    for (const json& item : list) {
      texts.push_back(Text(item, std::string(key) + " has an item that"));
    }
    return texts;
  }

 private:
  static const json& Null() {
    static const json null;
    return null;
  }

  std::string path_;
  std::string problem_;
};

// Whether the field is there, but without a value.
bool IsEmptyField(const json& map, const char* key) {
  if (!map.contains(key)) return false;
  const json& value = map[key];
  const auto* text = value.get_ptr<const std::string*>();
  return value.is_null() || (text != nullptr && text->empty());
}

std::string ReadExecExtension(const json& cluster, FieldReader& fields) {
  for (const json& item : fields.List(cluster, "extensions")) {
    if (!item.is_object() || fields.TextField(item, "name") != kExecExtension) {
      continue;
    }
    const json& value = FieldReader::Field(item, "extension");
    if (value.is_null()) return "";
    std::string text = JsonText(value, JsonCharacters::kAscii);
    if (text.size() > kMaxExtension) {
      fields.Fail(std::string("the extension ") + kExecExtension +
                  " is too large; the limit is 64 KiB");
    }
    return text;
  }
  return "";
}

KubeCluster ReadCluster(const json& node, FieldReader& fields) {
  KubeCluster cluster;
  cluster.server = fields.TextField(node, "server");
  cluster.tls_server_name = fields.TextField(node, "tls-server-name");
  cluster.insecure_skip_tls_verify =
      fields.Flag(node, "insecure-skip-tls-verify");
  cluster.certificate_authority = fields.File(node, "certificate-authority");
  cluster.certificate_authority_data =
      fields.TextField(node, "certificate-authority-data");
  for (const char* key :
       {"certificate-authority", "certificate-authority-data"}) {
    if (IsEmptyField(node, key)) cluster.empty_authority = key;
  }
  cluster.proxy_url = fields.TextField(node, "proxy-url");
  cluster.exec_config = ReadExecExtension(node, fields);
  return cluster;
}

KubeExec ReadExec(const json& node, FieldReader& fields) {
  KubeExec exec;
  if (!node.is_object()) {
    fields.Fail("exec is not a map");
    return exec;
  }
  exec.command = fields.TextField(node, "command");
  // A bare name is looked up in PATH (client-go's GetAuthInfoFileReferences).
  if (exec.command.find('/') != std::string::npos) {
    exec.command = fields.File(node, "command");
  }
  exec.args = fields.Texts(FieldReader::Field(node, "args"), "args");
  exec.api_version = fields.TextField(node, "apiVersion");
  exec.install_hint = fields.TextField(node, "installHint");
  exec.provide_cluster_info = fields.Flag(node, "provideClusterInfo");
  exec.interactive_mode = fields.TextField(node, "interactiveMode");
  for (const json& item : fields.List(node, "env")) {
    if (!item.is_object()) {
      fields.Fail("env has an entry that is not a map");
      return exec;
    }
    exec.env.emplace_back(fields.TextField(item, "name"),
                          fields.TextField(item, "value"));
  }
  return exec;
}

KubeUser ReadUser(const json& node, FieldReader& fields) {
  KubeUser user;
  user.client_certificate = fields.File(node, "client-certificate");
  user.client_certificate_data =
      fields.TextField(node, "client-certificate-data");
  user.client_key = fields.File(node, "client-key");
  user.client_key_data = fields.TextField(node, "client-key-data");
  user.token = fields.TextField(node, "token");
  user.token_file = fields.File(node, "tokenFile");
  user.username = fields.TextField(node, "username");
  user.password = fields.TextField(node, "password");
  user.as = fields.TextField(node, "as");
  user.as_uid = fields.TextField(node, "as-uid");
  user.as_groups =
      fields.Texts(FieldReader::Field(node, "as-groups"), "as-groups");
  const json& extra = FieldReader::Field(node, "as-user-extra");
  if (!extra.is_object() && !extra.is_null()) {
    fields.Fail("as-user-extra is not a map");
  }
  for (const auto& [key, values] : extra.items()) {
    user.as_user_extra[key] = fields.Texts(values, "as-user-extra");
  }
  const json& exec = FieldReader::Field(node, "exec");
  if (!exec.is_null()) user.exec = ReadExec(exec, fields);
  user.has_auth_provider = !FieldReader::Field(node, "auth-provider").is_null();
  return user;
}

KubeContext ReadContext(const json& node, FieldReader& fields) {
  KubeContext context;
  context.cluster = fields.TextField(node, "cluster");
  context.user = fields.TextField(node, "user");
  return context;
}

// Reads a list of the form clusters: [{name: a, cluster: {...}}].
template <typename Entry>
void ReadEntries(const json& root, const char* list_key, const char* entry_key,
                 Entry (*read)(const json&, FieldReader&),
                 std::map<std::string, Entry>& entries, FieldReader& fields) {
  for (const json& item : fields.List(root, list_key)) {
    if (!item.is_object() && !item.is_null()) {
      fields.Fail(std::string(list_key) + " has an entry that is not a map");
      return;
    }
    const std::string name = fields.TextField(item, "name");
    const json& body = FieldReader::Field(item, entry_key);
    if (!body.is_object() && !body.is_null()) {
      fields.Fail(std::string(entry_key) + " " + name + " is not a map");
      return;
    }
    Entry entry = body.is_null() ? Entry() : read(body, fields);
    entry.origin = fields.Path();
    if (!entries.emplace(name, std::move(entry)).second) {
      fields.Fail(std::string(list_key) + " has two entries named " + name +
                  "; keep one of them");
      return;
    }
  }
}

Result<Kubeconfig> ReadDocument(const json& root, FieldReader& fields) {
  Kubeconfig config;
  if (root.is_null()) return config;
  if (!root.is_object()) {
    fields.Fail("this is not a kubeconfig, because its top level is not a map");
    return fields.error();
  }
  const std::string kind = fields.TextField(root, "kind");
  if (!kind.empty() && kind != "Config") {
    fields.Fail("this is not a kubeconfig, because its kind is " + kind);
  }
  const std::string version = fields.TextField(root, "apiVersion");
  if (!version.empty() && version != "v1") {
    fields.Fail("this is not a kubeconfig, because its apiVersion is " +
                version);
  }
  config.current_context = fields.TextField(root, "current-context");
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
  const Result<std::string> text_as_json = YamlToJson(text);
  if (!text_as_json) {
    fields.Fail(text_as_json.error().message);
    return fields.error();
  }
  return ReadDocument(json::parse(*text_as_json, nullptr, false), fields);
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
