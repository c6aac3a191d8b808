#include "apiserver/kubeconfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/apiserver/fakes.h"

namespace kem {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kFull[] = R"(
apiVersion: v1
kind: Config
current-context: prod
preferences: {}
clusters:
- name: prod
  cluster:
    server: https://10.0.0.1:6443
    tls-server-name: kubernetes
    insecure-skip-tls-verify: true
    certificate-authority: ca.crt
    certificate-authority-data: QQ==
    proxy-url: http://proxy
    extensions: [{name: x, extension: {}}]
contexts:
- name: prod
  context: {cluster: prod, user: me, namespace: default}
users:
- name: me
  user:
    client-certificate: ../me.crt
    client-certificate-data: Qg==
    client-key: /keys/me.key
    client-key-data: Qw==
    token: secret
    tokenFile: token
    username: jane
    password: "1234"
    as: admin
    as-uid: "7"
    as-groups: [a, b]
    as-user-extra: {scopes: [view, edit]}
    exec: {command: aws}
    auth-provider: {name: gcp}
)";

TEST(KubeconfigTest, ReadsEveryField) {
  const Result<Kubeconfig> config = ParseKubeconfig(kFull, "/home/me/.kube/c");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->current_context, "prod");
  const KubeCluster& cluster = config->clusters.at("prod");
  EXPECT_EQ(cluster.origin, "/home/me/.kube/c");
  EXPECT_EQ(cluster.server, "https://10.0.0.1:6443");
  EXPECT_EQ(cluster.tls_server_name, "kubernetes");
  EXPECT_TRUE(cluster.insecure_skip_tls_verify);
  EXPECT_EQ(cluster.certificate_authority, "/home/me/.kube/ca.crt");
  EXPECT_EQ(cluster.certificate_authority_data, "QQ==");
  EXPECT_EQ(cluster.proxy_url, "http://proxy");
  const KubeUser& user = config->users.at("me");
  EXPECT_EQ(user.client_certificate, "/home/me/me.crt");
  EXPECT_EQ(user.client_certificate_data, "Qg==");
  EXPECT_EQ(user.client_key, "/keys/me.key");
  EXPECT_EQ(user.client_key_data, "Qw==");
  EXPECT_EQ(user.token, "secret");
  EXPECT_EQ(user.token_file, "/home/me/.kube/token");
  EXPECT_EQ(user.username, "jane");
  EXPECT_EQ(user.password, "1234");
  EXPECT_EQ(user.as, "admin");
  EXPECT_EQ(user.as_uid, "7");
  EXPECT_THAT(user.as_groups, ElementsAre("a", "b"));
  EXPECT_THAT(user.as_user_extra.at("scopes"), ElementsAre("view", "edit"));
  ASSERT_TRUE(user.exec);
  EXPECT_EQ(user.exec->command, "aws");
  EXPECT_TRUE(user.has_auth_provider);
  EXPECT_EQ(config->contexts.at("prod").cluster, "prod");
  EXPECT_EQ(config->contexts.at("prod").user, "me");
}

TEST(KubeconfigTest, ReadsJson) {
  const Result<Kubeconfig> config = ParseKubeconfig(
      R"({"current-context":"c","clusters":[{"name":"k","cluster":)"
      R"({"server":"https://h"}}],"users":null,"contexts":[]})",
      "/c");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->clusters.at("k").server, "https://h");
}

// As sigs.k8s.io/yaml on go-yaml v2, which kubectl uses.
TEST(KubeconfigTest, MergesMapsAndTakesTheLastOfEqualKeys) {
  const Result<Kubeconfig> config = ParseKubeconfig(
      "base: &base {server: 'https://base', tls-server-name: base}\n"
      "login: &login {token: t, username: ''}\n"
      "clusters:\n"
      "- {name: a, cluster: {<<: *base, server: 'https://a'}}\n"
      "- {name: b, cluster: {server: 'https://b', <<: *base}}\n"
      "- {name: c, cluster: {server: 'https://1', server: 'https://2'}}\n"
      "users:\n"
      "- {name: lost, user: {token: lost}}\n"
      "users:\n"
      "- name: u\n"
      "  user:\n"
      "    <<: *login\n"
      "current-context: one\n"
      "current-context: two\n",
      "/c");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->clusters.at("a").server, "https://a");
  EXPECT_EQ(config->clusters.at("a").tls_server_name, "base");
  EXPECT_EQ(config->clusters.at("b").server, "https://base");
  EXPECT_EQ(config->clusters.at("c").server, "https://2");
  EXPECT_EQ(config->users.size(), 1U);
  EXPECT_EQ(config->users.at("u").token, "t");
  EXPECT_EQ(config->current_context, "two");
}

TEST(KubeconfigTest, TakesNothingForAnEmptyConfig) {
  for (const char* text : {"", "\n", "# only a comment\n", "{}", "null",
                           "clusters: null\nusers: []\n"}) {
    const Result<Kubeconfig> config = ParseKubeconfig(text, "/c");
    ASSERT_TRUE(config) << text;
    EXPECT_TRUE(config->empty()) << text;
  }
}

TEST(KubeconfigTest, TellsWhatIsWrongWhere) {
  const std::pair<const char*, const char*> cases[] = {
      {"clusters: {}", "clusters is not a list"},
      {"clusters: [x]", "clusters has an entry that is not a map"},
      {"clusters: [{name: a, cluster: [b]}]", "cluster a is not a map"},
      {"clusters: [{name: a, cluster: {server: [b]}}]",
       "server is not a string"},
      {"clusters: [{name: a, cluster: {insecure-skip-tls-verify: maybe}}]",
       "insecure-skip-tls-verify is neither true nor false"},
      {"clusters: [{name: a, cluster: {insecure-skip-tls-verify: [1]}}]",
       "insecure-skip-tls-verify is neither true nor false"},
      {"clusters: [{name: a}, {name: a}]",
       "clusters has two entries named a; keep one of them"},
      {"users: [{name: a, user: {as-groups: x}}]", "as-groups is not a list"},
      {"users: [{name: a, user: {as-groups: [[x]]}}]",
       "as-groups has an item that is not a string"},
      {"users: [{name: a, user: {as-user-extra: []}}]",
       "as-user-extra is not a map"},
      {"users: [{name: a, user: {as-user-extra: {[a]: [b]}}}]",
       "line 1: a key is not a string"},
      {"current-context: {}", "current-context is not a string"},
      {"just text",
       "this is not a kubeconfig, because its top level is not a map"},
      {"kind: Pod", "this is not a kubeconfig, because its kind is Pod"},
      {"apiVersion: v2",
       "this is not a kubeconfig, because its apiVersion is v2"},
      {"clusters: [{name: a, cluster: {insecure-skip-tls-verify: 'true'}}]",
       "insecure-skip-tls-verify is neither true nor false"},
      {"users: [{name: a, user: {token: 0}}]",
       "token is not a string; put quotes around it"},
      {"users: [{name: a, user: {password: yes}}]",
       "password is not a string; put quotes around it"},
      {"users: [{name: a, user: {<<: x}}]",
       "line 1: a merge key (<<) needs a map or a list of maps"},
      {"a: [b", "it is not YAML: line 1: "},
      {"a: *b", "it is not YAML: line 1: "},
  };
  for (const auto& [text, problem] : cases) {
    const Result<Kubeconfig> config = ParseKubeconfig(text, "/c");
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(config.error().message,
                StartsWith("kubeconfig /c: " + std::string(problem)));
  }
}

TEST(KubeconfigTest, SurvivesHostileTexts) {
  std::string bomb = "a0: &a0 x\n";
  for (int i = 1; i < 60; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    const std::string name = "a" + std::to_string(i);
    for (const std::string& part :
         {name, std::string(": &"), name, std::string(" ["), below,
          std::string(","), below, std::string("]\n")}) {
      bomb += part;
    }
  }
  const std::string texts[] = {std::string(100000, '['),
                               std::string(100000, '{'),
                               std::string(20000, '-'),
                               "clusters: &c [*c]",
                               "&a [*a]",
                               "users: [{name: a, user: &u {as-groups: *u}}]",
                               "&a {<<: *a}",
                               "&a {<<: [*a, *a]}",
                               bomb,
                               bomb + "clusters: *a59",
                               std::string(1000, '\0'),
                               "\xFF\xFE",
                               "%YAML 9.9\n---\n",
                               "? [a]\n: b",
                               std::string(size_t{5} << 20U, ' ')};
  for (const std::string& text : texts) {
    // Both results are fine, but it must return.
    (void)ParseKubeconfig(text, "/c");
  }
  EXPECT_THAT(
      ParseKubeconfig(texts[std::size(texts) - 1], "/c").error().message,
      HasSubstr("larger than 4 MiB"));
}

TEST(KubeconfigTest, MergesWholeEntriesFirstFileFirst) {
  FakeFiles files;
  files.texts["/a/one"] =
      "users: [{name: red, user: {token: first}}]\n"
      "clusters: [{name: k, cluster: {certificate-authority: ca}}]\n";
  files.texts["/b/two"] =
      "current-context: second\n"
      "users: [{name: red, user: {token: x, username: late}},\n"
      "        {name: blue, user: {tokenFile: t}}]\n";
  files.texts["/c/three"] = "current-context: third\n";
  const Result<Kubeconfig> merged = LoadKubeconfigs(
      {"", "/a/one", "/missing", "/b/two", "/a/one", "/c/three"},
      files.Reader());
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(merged->current_context, "second");
  EXPECT_EQ(merged->users.at("red").token, "first");
  EXPECT_EQ(merged->users.at("red").username, "");
  EXPECT_EQ(merged->users.at("red").origin, "/a/one");
  EXPECT_EQ(merged->users.at("blue").token_file, "/b/t");
  EXPECT_EQ(merged->clusters.at("k").certificate_authority, "/a/ca");
}

TEST(KubeconfigTest, TellsOfAFileItMayNotRead) {
  FakeFiles files;
  files.unreadable = {"/a"};
  const Result<Kubeconfig> merged = LoadKubeconfigs({"/a"}, files.Reader());
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().message,
            "kubeconfig /a: cannot read /a: Permission denied");
}

TEST(KubeconfigTest, ReadsNoFileTwice) {
  int reads = 0;
  const FileReader counting =
      [&reads](const std::string&) -> Result<std::optional<std::string>> {
    ++reads;
    return std::optional<std::string>("");
  };
  EXPECT_TRUE(LoadKubeconfigs({"/a", "/a", "", "/a"}, counting)->empty());
  EXPECT_EQ(reads, 1);
}

}  // namespace
}  // namespace kem
