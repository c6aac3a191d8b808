// The exec section of a kubeconfig: its fields, its errors and the variable
// that the plugin receives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apiserver/kubeconfig.h"
#include "apiserver/server_access.h"
#include "base/encoding.h"
#include "unit/apiserver/fakes.h"
#include "unit/net/certificates.h"

namespace kem {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kExec[] =
    "command: get-token, apiVersion: client.authentication.k8s.io/v1, "
    "interactiveMode: Never";

class KubeconfigExecTest : public testing::Test {
 protected:
  Result<ServerAccess> Resolve(
      const std::string& user,
      const std::string& cluster = "server: 'https://h'",
      const std::string& path = "/home/me/.kube/k") {
    files_.texts[path] =
        "current-context: c\n"
        "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
        "clusters: [{name: k, cluster: {" +
        cluster + "}}]\nusers: [{name: u, user: {" + user + "}}]\n";
    return ResolveAccess({path, "", ""}, FakeEnvironment({}), files_.Reader());
  }
  std::string ErrorOf(const std::string& user) {
    const Result<ServerAccess> access = Resolve(user);
    return access ? "none" : access.error().message;
  }
  std::string InfoOf(const std::string& exec, const std::string& cluster) {
    const Result<ServerAccess> access =
        Resolve("exec: {" + exec + "}", cluster);
    if (!access || !access->exec) return "none";
    const std::string& variable = access->exec->env.back();
    const std::string name = "KUBERNETES_EXEC_INFO=";
    EXPECT_TRUE(variable.starts_with(name)) << variable;
    return variable.substr(name.size());
  }

  FakeFiles files_;
};

TEST_F(KubeconfigExecTest, ReadsEveryField) {
  const Result<ServerAccess> access = Resolve(
      "exec: {command: aws, args: [eks, get-token], env: [{name: A, value: b}, "
      "{name: C, value: ''}], apiVersion: client.authentication.k8s.io/v1beta1,"
      " installHint: apt install aws}");
  ASSERT_TRUE(access) << access.error().message;
  ASSERT_TRUE(access->exec);
  EXPECT_EQ(access->exec->command, "aws");
  EXPECT_THAT(access->exec->args, ElementsAre("eks", "get-token"));
  EXPECT_THAT(access->exec->env,
              ElementsAre("A=b", "C=", HasSubstr("KUBERNETES_EXEC_INFO={")));
  EXPECT_EQ(access->exec->api_version, "client.authentication.k8s.io/v1beta1");
  EXPECT_EQ(access->exec->install_hint, "apt install aws");
}

TEST_F(KubeconfigExecTest, FindsACommandWithASlashBesideTheKubeconfig) {
  const auto command = [&](const std::string& name) {
    const Result<ServerAccess> access =
        Resolve("exec: {command: '" + name +
                "', apiVersion: client.authentication.k8s.io/v1, "
                "interactiveMode: IfAvailable}");
    return access ? access->exec->command : access.error().message;
  };
  EXPECT_EQ(command("./plugin"), "/home/me/.kube/plugin");
  EXPECT_EQ(command("../bin/plugin"), "/home/me/bin/plugin");
  EXPECT_EQ(command("/usr/bin/plugin"), "/usr/bin/plugin");
  EXPECT_EQ(command("plugin"), "plugin");
}

TEST_F(KubeconfigExecTest, RunsNoPluginWhereThereAreCredentials) {
  const PemPair client = MakeCertificate({});
  for (const std::string& other :
       {std::string("token: t"), std::string("username: u, password: p"),
        "client-certificate-data: " + EncodeBase64(client.certificate) +
            ", client-key-data: " + EncodeBase64(client.key)}) {
    const Result<ServerAccess> access =
        Resolve(other + ", exec: {" + kExec + "}");
    ASSERT_TRUE(access) << access.error().message;
    EXPECT_FALSE(access->exec) << other;
  }
  const std::string exec = std::string("exec: {") + kExec + "}";
  EXPECT_FALSE(Resolve(exec, "server: 'https://u:p@h'")->exec);
  // client-go sends no password without a user name.
  EXPECT_TRUE(Resolve("password: p, " + exec)->exec);
}

TEST_F(KubeconfigExecTest, SendsNoCredentialsOverPlainHttp) {
  const Result<ServerAccess> access =
      Resolve(std::string("exec: {") + kExec + "}", "server: 'http://h'");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_FALSE(access->exec);
}

TEST_F(KubeconfigExecTest, TellsThePluginTheVersionOnly) {
  EXPECT_EQ(InfoOf(kExec, "server: 'https://h'"),
            R"({"apiVersion":"client.authentication.k8s.io/v1",)"
            R"("kind":"ExecCredential","spec":{"interactive":false}})");
}

TEST_F(KubeconfigExecTest, TellsThePluginOfTheClusterIfAsked) {
  files_.texts["/ca"] = MakeCa().certificate;
  EXPECT_EQ(
      InfoOf(std::string(kExec) + ", provideClusterInfo: true",
             "server: 'https://h:6443/x', tls-server-name: kube, "
             "certificate-authority: /ca, extensions: [{name: other}, {name: "
             "client.authentication.k8s.io/exec, extension: {audience: a1, "
             "m: 3, t: true, q: '3', l: [~, 1.5, no, 'no']}}]"),
      R"({"apiVersion":"client.authentication.k8s.io/v1",)"
      R"("kind":"ExecCredential","spec":{"cluster":{)"
      R"("certificate-authority-data":")" +
          EncodeBase64(files_.texts["/ca"]) +
          R"(","config":{"audience":"a1","l":[null,1.5,false,"no"],"m":3,)"
          R"("q":"3","t":true},"server":"https://h:6443/x",)"
          R"("tls-server-name":"kube"},)"
          R"("interactive":false}})");
  EXPECT_THAT(InfoOf(std::string(kExec) + ", provideClusterInfo: true",
                     "server: 'https://h', insecure-skip-tls-verify: true"),
              HasSubstr(R"({"config":null,"insecure-skip-tls-verify":true,)"
                        R"("server":"https://h"})"));
}

TEST_F(KubeconfigExecTest, TellsOfEachUnusableSection) {
  const std::string where = "context c of kubeconfig /home/me/.kube/k: ";
  const std::string v1 = "apiVersion: client.authentication.k8s.io/v1";
  const std::pair<std::string, const char*> cases[] = {
      {v1, "exec has no command; add the plugin's program"},
      {"command: x",
       "exec has the apiVersion \"\"; use client.authentication.k8s.io/v1 or "
       "v1beta1"},
      {"command: x, apiVersion: client.authentication.k8s.io/v1alpha1",
       "exec has the apiVersion \"client.authentication.k8s.io/v1alpha1\"; "
       "use client.authentication.k8s.io/v1 or v1beta1"},
      {"command: x, " + v1,
       "exec has the interactiveMode \"\"; use Never or IfAvailable"},
      {"command: x, interactiveMode: Maybe, " + v1,
       "exec has the interactiveMode \"Maybe\"; use Never or IfAvailable"},
      {"command: x, interactiveMode: Always, " + v1,
       "exec has interactiveMode Always, but there is no terminal; use a "
       "plugin that needs none"},
      {"command: x, env: [{value: z}], " + v1,
       "exec has an env entry without a valid name; correct it"},
  };
  for (const auto& [exec, sentence] : cases) {
    EXPECT_EQ(ErrorOf("exec: {" + exec + "}"), where + sentence) << exec;
  }
  EXPECT_EQ(
      ErrorOf(std::string("auth-provider: {name: x}, exec: {") + kExec + "}"),
      where + "auth-provider and exec are both given; keep exec");
}

TEST_F(KubeconfigExecTest, TellsOfWrongTypes) {
  const std::string where = "kubeconfig /home/me/.kube/k: ";
  const std::pair<const char*, const char*> cases[] = {
      {"exec: [x]", "exec is not a map"},
      {"exec: {args: x}", "args is not a list"},
      {"exec: {env: {a: b}}", "env is not a list"},
      {"exec: {env: [x]}", "env has an entry that is not a map"},
      {"exec: {provideClusterInfo: 7}",
       "provideClusterInfo is neither true nor false"},
  };
  for (const auto& [user, sentence] : cases) {
    EXPECT_EQ(ErrorOf(user), where + sentence) << user;
  }
}

TEST_F(KubeconfigExecTest, RefusesAnExtensionThatIsABomb) {
  std::string bomb = "a0: &a0 x\n";
  for (int i = 1; i < 60; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" +
            below + "," + below + "]\n";
  }
  bomb +=
      "clusters: [{name: k, cluster: {extensions: [{name: "
      "client.authentication.k8s.io/exec, extension: *a59}]}}]";
  const Result<Kubeconfig> config = ParseKubeconfig(bomb, "/k");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr("is too large"));
}

TEST_F(KubeconfigExecTest, RefusesAnExtensionForWhichAVariableIsTooSmall) {
  const auto config = [](size_t size) {
    return ParseKubeconfig(
        "clusters: [{name: k, cluster: {extensions: [{name: "
        "client.authentication.k8s.io/exec, extension: {a: " +
            std::string(size, 'x') + "}}]}}]",
        "/k");
  };
  EXPECT_TRUE(config(65000));
  EXPECT_EQ(config(66000).error().message,
            "kubeconfig /k: the extension client.authentication.k8s.io/exec is "
            "too large; the limit is 64 KiB");
}

}  // namespace
}  // namespace kem
