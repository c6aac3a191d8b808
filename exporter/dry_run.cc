#include "dry_run.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/clock.h"
#include "events/cluster_kinds.h"
#include "events/discovery.h"
#include "net/whole_answer.h"

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

// Asks the API server; an error means that there is no use in going on.
class Asker {
 public:
  explicit Asker(HttpTransport& transport) : transport_(transport) {}

  // The name we have there; empty where the server cannot tell (before 1.28).
  Result<std::string> User() {
    const Result<Answer> answer =
        Ask("/apis/authentication.k8s.io/v1/selfsubjectreviews",
            {{"apiVersion", "authentication.k8s.io/v1"},
             {"kind", "SelfSubjectReview"}});
    if (!answer) return answer.error();
    return TextAt(answer->body, "/status/userInfo/username");
  }

  Result<bool> May(const std::string& group, const std::string& verb,
                   const std::string& name_space,
                   const std::string& resource = "events") {
    json attributes = {
        {"group", group}, {"verb", verb}, {"resource", resource}};
    if (!name_space.empty()) attributes["namespace"] = name_space;
    return Review({{"resourceAttributes", std::move(attributes)}});
  }

  Result<bool> MayGet(const std::string& path) {
    return Review(
        {{"nonResourceAttributes", {{"path", path}, {"verb", "get"}}}});
  }

 private:
  struct Answer {
    int status = 0;
    json body;
  };

  Result<bool> Review(json spec) {
    const Result<Answer> answer =
        Ask("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {{"apiVersion", "authorization.k8s.io/v1"},
             {"kind", "SelfSubjectAccessReview"},
             {"spec", std::move(spec)}});
    if (!answer) return answer.error();
    const json& allowed = At(answer->body, "/status/allowed");
    if (answer->status / 100 == 2 && allowed.is_boolean()) {
      return allowed.get<bool>();
    }
    std::string why = TextAt(answer->body, "/message");
    if (why.empty()) why = "HTTP status " + std::to_string(answer->status);
    return Error{ErrorCode::kForbidden,
                 "the API server does not tell what we may (" + why +
                     "); bind the ClusterRole system:basic-user, or ask by "
                     "kubectl auth can-i --as"};
  }

  Result<Answer> Ask(const std::string& path, const json& question) {
    HttpRequest request;
    request.path = path;
    request.read_timeout = request.deadline = kPatience;
    request.body = question.dump(-1, ' ', true);
    WholeAnswer told;
    const HttpOutcome outcome = transport_.Send(request, told, {});
    if (outcome.end != HttpEnd::kComplete) {
      return Error{ErrorCode::kUnavailable,
                   "the API server gives no answer: " + outcome.message};
    }
    if (told.head().status == 401) {
      return Error{ErrorCode::kUnauthorized,
                   "the API server refuses the credentials (401); renew the "
                   "token or certificate"};
    }
    return Answer{told.head().status, json::parse(told.body(), nullptr, false)};
  }

  HttpTransport& transport_;
};

// Collects the report's lines.
class Report {
 public:
  void Say(const std::string& line) { text_ += "# " + OneLine(line) + "\n"; }
  void Tell(bool ok, const std::string& what) {
    Say((ok ? "ok       " : "MISSING  ") + what);
  }
  void Add(const std::string& yaml) { objects_ += yaml; }
  void Fail() { code_ = 1; }
  bool ok() const { return code_ == 0; }

  DryRunReport Done() && {
    if (code_ == 0) Say("Nothing is missing.");
    return {code_, text_ + objects_};
  }

 private:
  int code_ = 0;
  std::string text_;
  std::string objects_;
};

// A JSON string is a YAML string.
std::string Quoted(const std::string& text) {
  return json(text).dump(-1, ' ', true, json::error_handler_t::replace);
}

std::string Subject(const std::string& user) {
  constexpr std::string_view kAccount = "system:serviceaccount:";
  const size_t colon = user.rfind(':');
  if (user.starts_with(kAccount) && colon >= kAccount.size()) {
    return "- kind: ServiceAccount\n  namespace: " +
           Quoted(user.substr(kAccount.size(), colon - kAccount.size())) +
           "\n  name: " + Quoted(user.substr(colon + 1)) + "\n";
  }
  return "- kind: User\n  apiGroup: rbac.authorization.k8s.io\n  name: " +
         Quoted(user) + "\n";
}

constexpr char kReadEvents[] =
    "- apiGroups: [\"\", \"events.k8s.io\"]\n"
    "  resources: [\"events\"]\n"
    "  verbs: [\"get\", \"list\", \"watch\"]\n";
constexpr char kWriteEvents[] =
    "- apiGroups: [\"\"]\n"
    "  resources: [\"events\"]\n"
    "  verbs: [\"create\", \"patch\"]\n";

// A role of these rules with its binding; for the whole cluster when
// `name_space` is empty.
std::string Grant(const std::string& user, const std::string& name_space,
                  const std::string& name, const std::string& rules) {
  const std::string kind = name_space.empty() ? "ClusterRole" : "Role";
  const std::string metadata =
      "metadata:\n  name: " + name + "\n" +
      (name_space.empty() ? "" : "  namespace: " + Quoted(name_space) + "\n");
  const std::string head = "---\napiVersion: rbac.authorization.k8s.io/v1\n";
  return head + "kind: " + kind + "\n" + metadata + "rules:\n" + rules + head +
         "kind: " + kind + "Binding\n" + metadata +
         "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: " + kind +
         "\n  name: " + name + "\nsubjects:\n" + Subject(user);
}

std::string GrantDiscovery(const std::string& user) {
  return std::string("---\napiVersion: rbac.authorization.k8s.io/v1\n") +
         "kind: ClusterRoleBinding\nmetadata:\n  name: " + kName +
         "-discovery\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n"
         "  kind: ClusterRole\n  name: system:discovery\nsubjects:\n" +
         Subject(user);
}

std::string CanI(const std::string& verb, const std::string& name_space,
                 const std::string& user) {
  return "  kubectl auth can-i " + verb + " events " +
         (name_space.empty() ? "--all-namespaces"
                             : "--namespace=" + name_space) +
         " --as=" + user;
}

// Whether the Events of one namespace (of all, when it is empty) can be
// followed by one of the two APIs.
Result<void> CheckEvents(Asker& asker, const std::string& name_space,
                         const std::string& user, Report& report) {
  bool enough = false;
  for (const std::string group : kGroups) {
    bool whole = true;
    for (const std::string verb : kVerbs) {
      const Result<bool> may = asker.May(group, verb, name_space);
      if (!may) return may.error();
      report.Tell(*may, verb +
                            (group.empty() ? " events" : " events." + group) +
                            (name_space.empty() ? " in all namespaces"
                                                : " in " + name_space));
      whole = whole && *may;
    }
    enough = enough || whole;
  }
  if (enough) return {};
  report.Fail();
  report.Add(Grant(user, name_space, kName, kReadEvents));
  for (const std::string verb : kVerbs) {
    report.Say("check:" + CanI(verb, name_space, user));
  }
  return {};
}

Result<void> CheckDiscovery(Asker& asker, const std::string& user,
                            Report& report) {
  for (const std::string path : {"/api", "/apis"}) {
    const Result<bool> may = asker.MayGet(path);
    if (!may) return may.error();
    report.Tell(*may, "get " + path + ", to know what is cluster-scoped");
    if (*may) continue;
    report.Fail();
    report.Add(GrantDiscovery(user));
    break;
  }
  return {};
}

Result<void> CheckMirrors(const std::string& name_space,
                          const std::string& user, Asker& asker,
                          Report& report) {
  bool whole = true;
  for (const std::string verb : {"create", "patch"}) {
    const Result<bool> may = asker.May("", verb, name_space);
    if (!may) return may.error();
    report.Tell(*may, verb + " events in " + name_space + ", to mirror there");
    whole = whole && *may;
  }
  if (whole) return {};
  report.Fail();
  report.Add(
      Grant(user, name_space, std::string(kName) + "-sinks", kWriteEvents));
  return {};
}

// `rules` gets those that are missing.
Result<void> CheckAnnotate(const std::string& kind, const ApiKinds& served,
                           Asker& asker, Report& report, std::string& rules) {
  const auto found = std::find_if(
      served.kinds.begin(), served.kinds.end(), [&kind](const ApiKind& one) {
        return one.kind == kind && !one.namespaced && !one.plural.empty();
      });
  if (found == served.kinds.end()) {
    report.Tell(false, "a cluster-scoped kind " + kind + ", to be annotated");
    report.Fail();
    return {};
  }
  const std::string group(ApiGroup(found->api_version));
  const Result<bool> may = asker.May(group, "patch", "", found->plural);
  if (!may) return may.error();
  report.Tell(*may, "patch " + found->plural +
                        (group.empty() ? "" : "." + group) +
                        ", to annotate them");
  if (*may) return {};
  report.Fail();
  rules += "- apiGroups: [" + Quoted(group) + "]\n  resources: [" +
           Quoted(found->plural) + "]\n  verbs: [\"patch\"]\n";
  return {};
}

Result<void> CheckAnnotate(const std::set<std::string>& kinds,
                           const std::string& user, HttpTransport& transport,
                           Asker& asker, Report& report) {
  const RealClock clock;
  const Result<ApiKinds> served = Discovery(transport, clock).Fetch({});
  if (!served) return served.error().WithPrefix("discovery");
  std::string rules;
  for (const std::string& kind : kinds) {
    Result<void> checked = CheckAnnotate(kind, *served, asker, report, rules);
    if (!checked) return checked;
  }
  if (!rules.empty()) {
    report.Add(Grant(user, "", std::string(kName) + "-annotate", rules));
  }
  return {};
}

// Of the sinks that write to the API server; those that are elsewhere say by
// metrics and log how it goes.
Result<void> CheckSinks(const Options& options, const std::string& user,
                        HttpTransport& transport, Asker& asker,
                        Report& report) {
  std::set<std::string> targets;
  std::set<std::string> kinds;
  for (const SinkConfig& sink : options.sinks) {
    if (sink.type == SinkType::kMirror) {
      targets.insert(sink.target_namespace);
    }
    if (sink.type == SinkType::kAnnotate) {
      const std::vector<std::string>& names = sink.filter.kinds.include;
      kinds.insert(names.begin(), names.end());
    }
  }
  for (const std::string& target : targets) {
    Result<void> checked = CheckMirrors(target, user, asker, report);
    if (!checked) return checked;
  }
  if (kinds.empty()) return {};
  return CheckAnnotate(kinds, user, transport, asker, report);
}

Result<void> Check(const Options& options, HttpTransport& transport,
                   Report& report) {
  Asker asker(transport);
  Result<std::string> user = asker.User();
  if (!user) return user.error();
  if (user->empty()) {
    report.Say("The API server does not tell our name; put it in for USER.");
    *user = "USER";
  }
  report.Say("user: " + *user);
  std::vector<std::string> namespaces = options.namespaces;
  if (namespaces.empty()) namespaces.emplace_back();
  for (const std::string& name_space : namespaces) {
    Result<void> checked = CheckEvents(asker, name_space, *user, report);
    if (!checked) return checked;
  }
  Result<void> checked = CheckDiscovery(asker, *user, report);
  if (!checked) return checked;
  return CheckSinks(options, *user, transport, asker, report);
}

}  // namespace

DryRunReport DryRun(const Options& options, const ApiAccess& access,
                    HttpTransport& transport) {
  Report report;
  report.Say("kube-event-metrics --dry-run; flags and files are in order");
  report.Say("API server: " + access.server.ToString() + " (" + access.origin +
             ")");
  const Result<void> checked = Check(options, transport, report);
  if (!checked) {
    report.Say("FAILED   " + checked.error().message);
    report.Fail();
  } else if (!report.ok()) {
    report.Say("Something is missing: give this to kubectl apply -f -");
  }
  return std::move(report).Done();
}

}  // namespace kem
