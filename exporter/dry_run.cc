#include "dry_run.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/safe_text.h"
#include "events/cluster_kinds.h"
#include "events/discovery.h"

namespace kem {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kPatience{10};
constexpr std::array kGroups = {"", "events.k8s.io"};
constexpr std::array kVerbs = {"list", "watch"};
constexpr char kName[] = "kube-event-metrics";

// The member at `path`, else null.
const json& At(const json& object, const char* path) {
  static const json nothing;
  const json::json_pointer pointer(path);
  return object.contains(pointer) ? object.at(pointer) : nothing;
}

std::string TextAt(const json& object, const char* path) {
  const json& found = At(object, path);
  return found.is_string() ? found.get<std::string>() : "";
}

// Asks the API server and writes the report. After an error it asks nothing
// more, and every permission counts as given.
class Checker {
 public:
  explicit Checker(HttpTransport& transport) : transport_(transport) {}

  void Line(const std::string& line) { text_ += "# " + OneLine(line) + "\n"; }
  void Add(const std::string& yaml) {
    objects_ += yaml;
    missing_ = true;
  }
  void Fail(const std::string& problem) {
    if (!failed_) Line("FAILED   " + problem);
    failed_ = true;
  }
  bool Permission(bool given, const std::string& what) {
    Line((given ? "ok       " : "MISSING  ") + what);
    return given;
  }

  bool failed() const { return failed_; }

  // The exporter's user name; empty before Kubernetes 1.28.
  std::string User() {
    return TextAt(Ask("/apis/authentication.k8s.io/v1/selfsubjectreviews",
                      {{"apiVersion", "authentication.k8s.io/v1"},
                       {"kind", "SelfSubjectReview"}})
                      .body,
                  "/status/userInfo/username");
  }

  // `where` ends the line of the report. An empty `name` means all objects.
  bool May(const std::string& group, const std::string& verb,
           const std::string& name_space, const std::string& resource,
           const std::string& where, const std::string& name = "") {
    json attributes = {
        {"group", group}, {"verb", verb}, {"resource", resource}};
    if (!name_space.empty()) attributes["namespace"] = name_space;
    if (!name.empty()) attributes["name"] = name;
    return Review(
        {{"resourceAttributes", std::move(attributes)}},
        verb + " " + resource + (group.empty() ? "" : "." + group) + where);
  }

  bool MayGet(const std::string& path, const std::string& why) {
    return Review(
        {{"nonResourceAttributes", {{"path", path}, {"verb", "get"}}}},
        "get " + path + why);
  }

  DryRunReport Done() && {
    if (!failed_) {
      Line(missing_ ? "Something is missing: pipe this to kubectl apply -f -"
                    : "Nothing is missing.");
    }
    return {failed_ || missing_ ? 1 : 0, text_ + objects_};
  }

 private:
  struct Answer {
    int status = 0;
    json body;
  };

  bool Review(json spec, const std::string& what) {
    if (failed_) return true;
    const Answer answer =
        Ask("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {{"apiVersion", "authorization.k8s.io/v1"},
             {"kind", "SelfSubjectAccessReview"},
             {"spec", std::move(spec)}});
    if (failed_) return true;
    const json& allowed = At(answer.body, "/status/allowed");
    if (answer.status / 100 == 2 && allowed.is_boolean()) {
      return Permission(allowed.get<bool>(), what);
    }
    std::string why = TextAt(answer.body, "/message");
    if (why.empty()) why = "HTTP status " + std::to_string(answer.status);
    Fail("the API server refuses to review access (" + why +
         "); bind the ClusterRole system:basic-user, or use kubectl auth can-i "
         "--as");
    return true;
  }

  Answer Ask(const std::string& path, const json& question) {
    HttpRequest request;
    request.path = path;
    request.read_timeout = request.deadline = kPatience;
    request.body = question.dump(-1, ' ', true);
    WholeAnswer answer;
    const HttpOutcome outcome = transport_.Send(request, answer, {});
    if (outcome.end != HttpEnd::kComplete) {
      Fail("no answer from the API server: " + outcome.message);
    } else if (answer.head().status == 401) {
      Fail(
          "the API server refuses the credentials (401); renew the token or "
          "certificate");
    }
    return {answer.head().status, json::parse(answer.body(), nullptr, false)};
  }

  HttpTransport& transport_;
  bool failed_ = false;
  bool missing_ = false;
  std::string text_;
  std::string objects_;
};

// A JSON string is a YAML string.
std::string YamlText(const std::string& text) {
  return JsonText(json(text), JsonCharacters::kAscii);
}

std::string Subject(const std::string& user) {
  constexpr std::string_view kAccount = "system:serviceaccount:";
  const size_t colon = user.rfind(':');
  if (user.starts_with(kAccount) && colon >= kAccount.size()) {
    return "- kind: ServiceAccount\n  namespace: " +
           YamlText(user.substr(kAccount.size(), colon - kAccount.size())) +
           "\n  name: " + YamlText(user.substr(colon + 1)) + "\n";
  }
  return "- kind: User\n  apiGroup: rbac.authorization.k8s.io\n  name: " +
         YamlText(user) + "\n";
}

constexpr char kReadEvents[] =
    "- apiGroups: [\"\", \"events.k8s.io\"]\n"
    "  resources: [\"events\"]\n"
    "  verbs: [\"get\", \"list\", \"watch\"]\n";
constexpr char kWriteEvents[] =
    "- apiGroups: [\"\"]\n"
    "  resources: [\"events\"]\n"
    "  verbs: [\"create\", \"patch\"]\n";

constexpr char kRbac[] = "---\napiVersion: rbac.authorization.k8s.io/v1\n";

// `role_kind` is Role or ClusterRole; the binding is of the same kind.
std::string Binding(const std::string& role_kind, const std::string& metadata,
                    const std::string& role, const std::string& user) {
  return std::string(kRbac) + "kind: " + role_kind + "Binding\n" + metadata +
         "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: " +
         role_kind + "\n  name: " + role + "\nsubjects:\n" + Subject(user);
}

// A role of these rules with its binding; for the whole cluster when
// `name_space` is empty.
std::string Grant(const std::string& user, const std::string& name_space,
                  const std::string& name, const std::string& rules) {
  const std::string kind = name_space.empty() ? "ClusterRole" : "Role";
  const std::string metadata =
      "metadata:\n  name: " + name + "\n" +
      (name_space.empty() ? "" : "  namespace: " + YamlText(name_space) + "\n");
  return std::string(kRbac) + "kind: " + kind + "\n" + metadata + "rules:\n" +
         rules + Binding(kind, metadata, name, user);
}

std::string GrantDiscovery(const std::string& user) {
  return Binding("ClusterRole",
                 "metadata:\n  name: " + std::string(kName) + "-discovery\n",
                 "system:discovery", user);
}

// Whether one of the two APIs gives the Events of a namespace, or of all when
// it is empty.
void CheckEvents(const std::string& name_space, const std::string& user,
                 Checker& checker) {
  const std::string where =
      name_space.empty() ? " in all namespaces" : " in " + name_space;
  bool enough = false;
  for (const std::string group : kGroups) {
    bool whole = true;
    for (const std::string verb : kVerbs) {
      whole = checker.May(group, verb, name_space, "events", where) && whole;
    }
    enough = enough || whole;
  }
  if (enough) return;
  checker.Add(Grant(user, name_space, kName, kReadEvents));
  for (const std::string verb : kVerbs) {
    checker.Line("check:  kubectl auth can-i " + verb + " events " +
                 (name_space.empty() ? "--all-namespaces"
                                     : "--namespace=" + name_space) +
                 " --as=" + user);
  }
}

void CheckDiscovery(const std::string& user, Checker& checker) {
  for (const std::string path : {"/api", "/apis"}) {
    if (checker.MayGet(path, ", to find cluster-scoped kinds")) continue;
    return checker.Add(GrantDiscovery(user));
  }
}

void CheckMirrors(const std::string& name_space, const std::string& user,
                  Checker& checker) {
  bool whole = true;
  for (const std::string verb : {"create", "patch"}) {
    whole = checker.May("", verb, name_space, "events",
                        " in " + name_space + ", to mirror there") &&
            whole;
  }
  if (whole) return;
  checker.Add(
      Grant(user, name_space, std::string(kName) + "-sinks", kWriteEvents));
}

void CheckAnnotate(const std::set<std::string>& kinds, const std::string& user,
                   HttpTransport& transport, Checker& checker) {
  if (checker.failed()) return;
  const RealClock clock;
  const Result<ApiKinds> served = Discovery(transport, clock).Fetch({});
  if (!served) return checker.Fail("discovery: " + served.error().message);
  std::string rules;
  for (const std::string& kind : kinds) {
    const auto found = std::find_if(
        served->kinds.begin(), served->kinds.end(),
        [&kind](const ApiKind& one) {
          return one.kind == kind && !one.namespaced && !one.plural.empty();
        });
    if (found == served->kinds.end()) {
      checker.Permission(false,
                         "a cluster-scoped kind " + kind + ", to be annotated");
      checker.Add("");
      continue;
    }
    const std::string group(ApiGroup(found->api_version));
    if (checker.May(group, "patch", "", found->plural, ", to annotate them")) {
      continue;
    }
    rules += "- apiGroups: [" + YamlText(group) + "]\n  resources: [" +
             YamlText(found->plural) + "]\n  verbs: [\"patch\"]\n";
  }
  if (rules.empty()) return;
  checker.Add(Grant(user, "", std::string(kName) + "-annotate", rules));
}

// A create has no name, so no rule can limit it to this one (Kubernetes
// documentation, "Using RBAC Authorization", "Referring to resources").
void CheckLease(const LeaseName& lease, const std::string& user,
                Checker& checker) {
  bool whole = true;
  for (const std::string verb : {"get", "create", "update"}) {
    whole = checker.May("coordination.k8s.io", verb, lease.name_space, "leases",
                        " in " + lease.name_space + ", for --replicas.lease",
                        verb == "create" ? "" : lease.name) &&
            whole;
  }
  if (whole) return;
  const std::string head =
      "- apiGroups: [\"coordination.k8s.io\"]\n  resources: [\"leases\"]\n";
  checker.Add(Grant(user, lease.name_space, std::string(kName) + "-lease",
                    head + "  resourceNames: [" + YamlText(lease.name) +
                        "]\n  verbs: [\"get\", \"update\"]\n" + head +
                        "  verbs: [\"create\"]\n"));
}

// Only of sinks that write to the API server.
void CheckSinks(const Options& options, const std::string& user,
                HttpTransport& transport, Checker& checker) {
  std::set<std::string> targets;
  std::set<std::string> kinds;
  for (const SinkConfig& sink : options.sinks) {
    if (sink.type == SinkType::kMirror) targets.insert(sink.target_namespace);
    if (sink.type == SinkType::kAnnotate) {
      const std::vector<std::string>& names = sink.filter.kinds.include;
      kinds.insert(names.begin(), names.end());
    }
  }
  for (const std::string& target : targets) {
    CheckMirrors(target, user, checker);
  }
  if (!kinds.empty()) CheckAnnotate(kinds, user, transport, checker);
}

}  // namespace

DryRunReport DryRun(const Options& options, const ServerAccess& access,
                    HttpTransport& transport) {
  Checker checker(transport);
  checker.Line("kube-event-metrics --dry-run: flags and files are valid");
  checker.Line("API server: " + access.server.ToString() + " (" +
               access.origin + ")");
  std::string user = checker.User();
  if (checker.failed()) return std::move(checker).Done();
  if (user.empty()) {
    checker.Line(
        "The API server does not report the user name: replace USER by it.");
    user = "USER";
  }
  checker.Line("user: " + user);
  std::vector<std::string> namespaces = options.namespaces;
  if (namespaces.empty()) namespaces.emplace_back();
  for (const std::string& name_space : namespaces) {
    CheckEvents(name_space, user, checker);
  }
  CheckDiscovery(user, checker);
  CheckSinks(options, user, transport, checker);
  if (options.lease) CheckLease(*options.lease, user, checker);
  return std::move(checker).Done();
}

}  // namespace kem
