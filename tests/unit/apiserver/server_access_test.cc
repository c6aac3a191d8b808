// Which access is found, in which order, and the errors.
#include "apiserver/server_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/apiserver/fakes.h"
#include "unit/net/certificates.h"

namespace kem {
namespace {

constexpr char kToken[] = "/var/run/secrets/kubernetes.io/serviceaccount/token";
constexpr char kCa[] = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";

std::string Config(const std::string& server) {
  return "current-context: c\n"
         "contexts: [{name: c, context: {cluster: k, user: u}},\n"
         "           {name: other, context: {cluster: k2, user: u}}]\n"
         "clusters: [{name: k, cluster: {server: '" +
         server +
         "', tls-server-name: kubernetes}},\n"
         "           {name: k2, cluster: {server: 'https://second'}}]\n"
         "users: [{name: u, user: {token: secret}}]\n";
}

class ServerAccessTest : public testing::Test {
 protected:
  Result<ServerAccess> Resolve(const AccessFlags& flags = {}) const {
    return ResolveAccess(flags, FakeEnvironment(variables_), files_.Reader());
  }
  std::string ErrorOf(const AccessFlags& flags = {}) const {
    const Result<ServerAccess> access = Resolve(flags);
    if (access) return "none";
    EXPECT_EQ(access.error().code, ErrorCode::kInvalidConfig);
    return access.error().message;
  }
  void BeInCluster() {
    variables_["KUBERNETES_SERVICE_HOST"] = "10.96.0.1";
    variables_["KUBERNETES_SERVICE_PORT"] = "443";
    files_.texts[kToken] = "pod-token\n";
    files_.texts[kCa] = MakeCa().certificate;
  }

  FakeFiles files_;
  std::map<std::string, std::string> variables_{{"HOME", "/home/me"}};
};

TEST_F(ServerAccessTest, TakesTheKubeconfigFlagBeforeEverything) {
  BeInCluster();
  variables_["KUBECONFIG"] = "/env";
  files_.texts["/flag"] = Config("https://flag");
  files_.texts["/env"] = Config("https://env");
  const Result<ServerAccess> access = Resolve({"/flag", "", ""});
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server.host, "flag");
  EXPECT_EQ(access->tls_server_name, "kubernetes");
  EXPECT_EQ(access->token.text, "secret");
  EXPECT_EQ(access->origin, "context c of kubeconfig /flag");
}

TEST_F(ServerAccessTest, RefusesAKubeconfigFlagWithoutFile) {
  EXPECT_EQ(ErrorOf({"/flag", "", ""}),
            "--kubeconfig /flag: the file does not exist; correct the path");
}

TEST_F(ServerAccessTest, TakesTheKubeconfigVariableBeforeTheHomeFile) {
  variables_["KUBECONFIG"] = "::/missing:/env:";
  files_.texts["/env"] = Config("https://env");
  files_.texts["/home/me/.kube/config"] = Config("https://home");
  EXPECT_EQ(Resolve()->server.host, "env");
  variables_["KUBECONFIG"] = "";
  EXPECT_EQ(Resolve()->server.host, "home");
}

TEST_F(ServerAccessTest, TakesTheHomeFileBeforeThePod) {
  BeInCluster();
  EXPECT_EQ(Resolve()->server.host, "10.96.0.1");
  files_.texts["/home/me/.kube/config"] = Config("https://home");
  EXPECT_EQ(Resolve()->server.host, "home");
}

TEST_F(ServerAccessTest, TakesThePodWhenTheVariableNamesNoFile) {
  BeInCluster();
  variables_["KUBECONFIG"] = "/missing";
  files_.texts["/home/me/.kube/config"] = Config("https://home");
  EXPECT_EQ(Resolve()->server.host, "10.96.0.1");
}

// As client-go: where no context is chosen, a Pod's service account is used.
TEST_F(ServerAccessTest, TakesThePodWhenTheKubeconfigChoosesNoContext) {
  BeInCluster();
  std::string config = Config("https://home");
  config.erase(0, config.find('\n') + 1);  // current-context
  files_.texts["/home/me/.kube/config"] = files_.texts["/flag"] = config;
  testing::internal::CaptureStderr();
  const Result<ServerAccess> access = Resolve();
  const std::string log = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server.host, "10.96.0.1");
  EXPECT_EQ(access->origin, "in-cluster service account");
  EXPECT_THAT(log, testing::HasSubstr("no current-context"));
  EXPECT_THAT(log, testing::HasSubstr("/home/me/.kube/config"));
  EXPECT_EQ(Resolve({"/flag", "", ""})->server.host, "10.96.0.1");
  EXPECT_EQ(Resolve({"/flag", "c", ""})->server.host, "home");
  const std::string refused =
      "kubeconfig /flag has no current-context; choose one with --context";
  EXPECT_EQ(ErrorOf({"/flag", "", "https://other"}), refused);
  files_.texts.erase(kToken);
  EXPECT_EQ(ErrorOf({"/flag", "", ""}), refused);
  files_.texts[kToken] = "pod-token";
  variables_.erase("KUBERNETES_SERVICE_PORT");
  EXPECT_EQ(ErrorOf({"/flag", "", ""}), refused);
}

TEST_F(ServerAccessTest, DoesNotTakeThePodForAContextThatIsMissing) {
  BeInCluster();
  files_.texts["/flag"] = "current-context: lost\n" + Config("https://flag");
  files_.texts["/flag"].replace(
      files_.texts["/flag"].find("current-context: c"), 18, "x: y");
  EXPECT_EQ(ErrorOf({"/flag", "", ""}),
            "kubeconfig /flag has no context lost; choose another one with "
            "--context");
}

TEST_F(ServerAccessTest, TakesNoHomeFileWhenTheVariableIsAListOfNothing) {
  variables_["KUBECONFIG"] = ":";
  files_.texts["/home/me/.kube/config"] = Config("https://home");
  EXPECT_EQ(ErrorOf(),
            "no cluster to watch: there is no kubeconfig and no in-cluster "
            "service account; use --kubeconfig, KUBECONFIG or --apiserver");
}

TEST_F(ServerAccessTest, ReadsTheServiceAccount) {
  BeInCluster();
  const Result<ServerAccess> access = Resolve();
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server.ToString(), "https://10.96.0.1:443");
  EXPECT_EQ(access->token.text, "pod-token\n");
  EXPECT_EQ(access->token.file, kToken);
  EXPECT_EQ(access->ca.file, kCa);
  EXPECT_EQ(access->origin, "in-cluster service account");
}

TEST_F(ServerAccessTest, TakesTheEnvironmentsProxyInAPodToo) {
  BeInCluster();
  variables_["HTTPS_PROXY"] = "http://user:hush@proxy:3128";
  const Result<ServerAccess> access = Resolve();
  ASSERT_TRUE(access) << access.error().message;
  ASSERT_TRUE(access->proxy);
  EXPECT_EQ(access->proxy->password, "hush");
  EXPECT_EQ(access->origin,
            "in-cluster service account through the proxy http://proxy:3128");
  variables_["NO_PROXY"] = "10.0.0.0/8";
  EXPECT_FALSE(Resolve()->proxy);
}

TEST_F(ServerAccessTest, TakesTheKubeconfigsProxyBeforeTheEnvironments) {
  variables_["HTTPS_PROXY"] = "http://environment";
  variables_["NO_PROXY"] = "*";
  files_.texts["/home/me/.kube/config"] =
      "current-context: c\n"
      "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
      "clusters: [{name: k, cluster: {server: 'https://h', proxy-url: "
      "'socks5://p'}}]\nusers: [{name: u}]\n";
  EXPECT_EQ(Resolve()->proxy->ToString(), "socks5://p:1080");
}

TEST_F(ServerAccessTest, BracketsTheServiceHostOfIpv6) {
  BeInCluster();
  variables_["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  EXPECT_EQ(Resolve()->server.ToString(), "https://[fd00::1]:443");
}

TEST_F(ServerAccessTest, FailsClosedWithoutTheServiceAccountsFiles) {
  const std::string advice =
      "; mount the service account (automountServiceAccountToken) or use "
      "--kubeconfig";
  BeInCluster();
  files_.texts.erase(kCa);
  EXPECT_EQ(ErrorOf(),
            "in-cluster: " + std::string(kCa) + " does not exist" + advice);
  files_.texts[kCa] = "";
  EXPECT_EQ(ErrorOf(),
            "in-cluster: " + std::string(kCa) + " is empty" + advice);
  files_.unreadable = {kCa};
  EXPECT_EQ(ErrorOf(), "in-cluster: cannot read " + std::string(kCa) +
                           ": Permission denied" + advice);
  files_.unreadable.clear();
  files_.texts[kCa] = "no PEM";
  EXPECT_EQ(ErrorOf(),
            "in-cluster service account: the certificate authority " +
                std::string(kCa) +
                " has no PEM certificate; give the PEM file of "
                "the CA");
  files_.texts.erase(kToken);
  EXPECT_EQ(ErrorOf(),
            "in-cluster: " + std::string(kToken) + " does not exist" + advice);
}

TEST_F(ServerAccessTest, RefusesAServiceHostThatIsNone) {
  BeInCluster();
  variables_["KUBERNETES_SERVICE_PORT"] = "tcp://1";
  EXPECT_THAT(
      ErrorOf(),
      testing::StartsWith(
          "in-cluster: the URL from KUBERNETES_SERVICE_HOST and _PORT, "));
}

TEST_F(ServerAccessTest, TakesTheApiserverFlagAloneAsAnonymous) {
  BeInCluster();
  variables_["KUBECONFIG"] = "/env";
  files_.texts["/env"] = Config("https://env");
  const Result<ServerAccess> access =
      Resolve({"", "", "http://127.0.0.1:8001"});
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server.ToString(), "http://127.0.0.1:8001");
  EXPECT_EQ(access->token.text, "");
  EXPECT_EQ(access->origin, "--apiserver");
}

TEST_F(ServerAccessTest, ReplacesTheKubeconfigsServerByTheFlag) {
  files_.texts["/flag"] = Config("https://flag");
  const Result<ServerAccess> access = Resolve({"/flag", "", "https://other:1"});
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server.ToString(), "https://other:1");
  EXPECT_EQ(access->token.text, "secret");
  EXPECT_EQ(access->tls_server_name, "");
}

TEST_F(ServerAccessTest, RefusesAnApiserverFlagThatIsNoUrl) {
  EXPECT_EQ(ErrorOf({"", "", "ftp://x"}),
            "--apiserver \"ftp://x\" does not begin with https:// or "
            "http://; write it as https://host:port");
}

TEST_F(ServerAccessTest, TakesTheContextThatIsAskedFor) {
  files_.texts["/home/me/.kube/config"] = Config("https://home");
  const Result<ServerAccess> access = Resolve({"", "other", ""});
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server.host, "second");
  EXPECT_EQ(ErrorOf({"", "third", ""}),
            "kubeconfig /home/me/.kube/config has no context third; choose "
            "another one with --context");
}

TEST_F(ServerAccessTest, RefusesAContextWithoutKubeconfigEvenInAPod) {
  BeInCluster();
  EXPECT_EQ(ErrorOf({"", "c", ""}),
            "kubeconfig /home/me/.kube/config has no context c; choose "
            "another one with --context");
}

TEST_F(ServerAccessTest, RefusesAKubeconfigWithoutCurrentContext) {
  files_.texts["/flag"] = "";
  EXPECT_EQ(ErrorOf({"/flag", "", ""}),
            "kubeconfig /flag has no current-context; choose one with "
            "--context");
}

TEST_F(ServerAccessTest, SaysInOneSentenceThatThereIsNothing) {
  EXPECT_EQ(ErrorOf(),
            "no cluster to watch: there is no kubeconfig at "
            "/home/me/.kube/config and no in-cluster service account; use "
            "--kubeconfig, KUBECONFIG or --apiserver");
  variables_.erase("HOME");
  EXPECT_EQ(ErrorOf(),
            "no cluster to watch: there is no kubeconfig and no in-cluster "
            "service account; use --kubeconfig, KUBECONFIG or --apiserver");
}

TEST_F(ServerAccessTest, TellsOfAKubeconfigThatIsBroken) {
  files_.texts["/home/me/.kube/config"] = "clusters: 1";
  EXPECT_EQ(ErrorOf(),
            "kubeconfig /home/me/.kube/config: clusters is not a list");
}

TEST_F(ServerAccessTest, TakesUserNameAndPasswordOfTheUrlForHttpsOnly) {
  files_.texts["/flag"] = Config("https://me:hush@flag/p");
  Result<ServerAccess> access = Resolve({"/flag", "", ""});
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server.user_info, "me:hush");
  EXPECT_EQ(access->server.ToString(), "https://flag:443/p");
  EXPECT_EQ(Resolve({"", "", "https://me:hush@flag"})->server.user_info,
            "me:hush");
  testing::internal::CaptureStderr();
  access = Resolve({"", "", "http://me:hush@flag"});
  const std::string log = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server.user_info, "");
  EXPECT_THAT(log, testing::HasSubstr(
                       "Credentials are not sent to a plain http server"));
  EXPECT_THAT(log, testing::Not(testing::HasSubstr("hush")));
}

TEST_F(ServerAccessTest, LeavesOutCredentialsForPlainHttp) {
  files_.texts["/flag"] = Config("http://10.0.0.1:8080");
  testing::internal::CaptureStderr();
  const Result<ServerAccess> access = Resolve({"/flag", "", ""});
  const std::string log = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->token.text, "");
  EXPECT_THAT(log, testing::HasSubstr(
                       "Credentials are not sent to a plain http server"));
  EXPECT_THAT(log, testing::Not(testing::HasSubstr("secret")));
}

}  // namespace
}  // namespace kem
