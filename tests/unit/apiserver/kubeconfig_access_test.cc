// From a context to an access: each field, each error.
#include "apiserver/kubeconfig_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "unit/apiserver/fakes.h"
#include "unit/net/certificates.h"

namespace kem {
namespace {

using testing::ElementsAre;
using testing::Pair;

class KubeconfigAccessTest : public testing::Test {
 protected:
  Result<ServerAccess> Resolve(const std::string& cluster,
                               const std::string& user) {
    files_.texts["/k"] =
        "current-context: c\n"
        "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
        "clusters: [{name: k, cluster: {" +
        cluster + "}}]\nusers: [{name: u, user: {" + user + "}}]\n";
    return ResolveAccess({"/k", "", ""}, FakeEnvironment({}), files_.Reader());
  }
  // The error without the place at its beginning.
  std::string ErrorOf(const std::string& cluster, const std::string& user) {
    const Result<ServerAccess> access = Resolve(cluster, user);
    if (access) return "none";
    EXPECT_EQ(access.error().code, ErrorCode::kInvalidConfig);
    const std::string where = "context c of kubeconfig /k: ";
    EXPECT_THAT(access.error().message, testing::StartsWith(where));
    return access.error().message.substr(where.size());
  }

  FakeFiles files_;
};

constexpr char kServer[] = "server: 'https://h'";

TEST_F(KubeconfigAccessTest, DecodesInlineData) {
  const PemPair ca = MakeCa();
  const PemPair client = MakeCertificate({});
  const Result<ServerAccess> access = Resolve(
      std::string(kServer) +
          ", certificate-authority-data: " + EncodeBase64(ca.certificate),
      "client-certificate-data: " + EncodeBase64(client.certificate) +
          ", client-key-data: " + EncodeBase64(client.key));
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->ca.text, ca.certificate);
  EXPECT_EQ(access->ca.file, "");
  EXPECT_EQ(access->client_certificate.text, client.certificate);
  EXPECT_EQ(access->client_key.text, client.key);
}

TEST_F(KubeconfigAccessTest, ReadsFilesAndKeepsTheirNames) {
  const PemPair client = MakeCertificate({});
  files_.texts["/ca"] = MakeCa().certificate;
  files_.texts["/crt"] = client.certificate;
  files_.texts["/key"] = client.key;
  files_.texts["/t"] = "tok\n";
  const Result<ServerAccess> access =
      Resolve(std::string(kServer) + ", certificate-authority: ca",
              "client-certificate: crt, client-key: key, tokenFile: t");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->ca.file, "/ca");
  EXPECT_EQ(access->client_certificate.file, "/crt");
  EXPECT_EQ(access->client_key.file, "/key");
  EXPECT_EQ(access->token.file, "/t");
  EXPECT_EQ(access->token.text, "tok\n");
}

TEST_F(KubeconfigAccessTest, TakesTheTokenFirstAndItsFileLater) {
  const Result<ServerAccess> access =
      Resolve(kServer, "token: first, tokenFile: /not-yet");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->token.text, "first");
  EXPECT_EQ(access->token.file, "/not-yet");
}

TEST_F(KubeconfigAccessTest, GuessesHttpsForABareHostWithTlsSettings) {
  EXPECT_TRUE(
      Resolve("server: 'h:1', insecure-skip-tls-verify: true", "")->server.tls);
  EXPECT_FALSE(Resolve("server: 'h:1'", "")->server.tls);
}

TEST_F(KubeconfigAccessTest, IsAnonymousForAContextWithoutUser) {
  const auto of_context = [&](const std::string& context,
                              const std::string& users) {
    files_.texts["/k"] =
        "current-context: c\ncontexts: [{name: c, context: {cluster: k" +
        context + "}}]\nclusters: [{name: k, cluster: {server: 'https://h'}}]" +
        "\nusers: " + users + "\n";
    return ResolveAccess({"/k", "", ""}, FakeEnvironment({}), files_.Reader());
  };
  for (const char* context : {"", ", user: ''", ", user:"}) {
    const Result<ServerAccess> access =
        of_context(context, "[{name: u, user: {token: t}}]");
    ASSERT_TRUE(access) << access.error().message;
    EXPECT_EQ(access->server.host, "h");
    EXPECT_TRUE(access->token.empty());
  }
  // As client-go, which looks the empty name up too.
  EXPECT_EQ(of_context("", "[{user: {token: t}}]")->token.text, "t");
  EXPECT_FALSE(of_context(", user: v", "[{name: u, user: {token: t}}]"));
}

// An empty authority must never mean those of the system.
TEST_F(KubeconfigAccessTest, RefusesAnEmptyAuthority) {
  files_.texts["/empty"] = "";
  files_.texts["/blank"] = "\n \n";
  const std::string key =
      "certificate-authority is empty; give the CA, or remove the key to trust "
      "the authorities of the system";
  const std::string data =
      "certificate-authority-data is empty; give the CA, or remove the key to "
      "trust the authorities of the system";
  const std::pair<const char*, std::string> cases[] = {
      {"certificate-authority: ''", key},
      {"certificate-authority: ", key},
      {"certificate-authority-data: ''", data},
      {"certificate-authority-data: null", data},
      {"certificate-authority: /empty",
       "the certificate authority /empty has no PEM certificate; give the PEM "
       "file of the CA"},
      {"certificate-authority: /blank",
       "the certificate authority /blank has no PEM certificate; give the PEM "
       "file of the CA"},
      // Only blanks.
      {"certificate-authority-data: Cg==",
       "the certificate authority has no PEM certificate; give the PEM file "
       "of the CA"},
  };
  for (const auto& [ca, sentence] : cases) {
    EXPECT_EQ(ErrorOf(std::string(kServer) + ", " + ca, ""), sentence) << ca;
  }
  // Nothing is verified, or the other key counts, as for client-go.
  files_.texts["/ca"] = MakeCa().certificate;
  for (const char* cluster :
       {"server: 'https://h', certificate-authority: '', "
        "insecure-skip-tls-verify: true",
        "server: 'http://h', certificate-authority: ''",
        "server: 'https://h', certificate-authority-data: '', "
        "certificate-authority: /ca"}) {
    EXPECT_EQ(ErrorOf(cluster, ""), "none") << cluster;
  }
}

// As Go's CertPool.AppendCertsFromPEM.
TEST_F(KubeconfigAccessTest, SkipsBrokenCertificatesOfAnAuthority) {
  const std::string good = MakeCa().certificate;
  std::string broken = good;
  broken[broken.size() / 2] = '*';
  for (const std::string& bundle :
       {broken + good, good + broken, good.substr(0, good.size() / 2) + good}) {
    files_.texts["/ca"] = bundle;
    testing::internal::CaptureStderr();
    const std::string error =
        ErrorOf(std::string(kServer) + ", certificate-authority: /ca", "");
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_EQ(error, "none");
    EXPECT_THAT(log, testing::HasSubstr(
                         "Ignoring broken certificates of an authority"));
    EXPECT_THAT(log, testing::HasSubstr("file=/ca count=1"));
  }
  files_.texts["/ca"] = broken + broken;
  EXPECT_EQ(ErrorOf(std::string(kServer) + ", certificate-authority: /ca", ""),
            "the certificate authority /ca has no valid PEM certificate; give "
            "the PEM file of the CA");
}

TEST_F(KubeconfigAccessTest, RefusesAnEmptyClientCertificate) {
  const PemPair client = MakeCertificate({});
  files_.texts["/empty"] = "";
  files_.texts["/crt"] = client.certificate;
  files_.texts["/key"] = client.key;
  EXPECT_EQ(ErrorOf(kServer, "client-certificate: /empty, client-key: /key"),
            "the certificate: has no PEM certificate; give a PEM certificate "
            "and its key");
  EXPECT_EQ(ErrorOf(kServer, "client-certificate: /crt, client-key: /empty"),
            "the key is not an unencrypted PEM key; give a PEM certificate "
            "and its key");
  // Without a certificate client-go ignores the key.
  EXPECT_EQ(ErrorOf(kServer, "client-key: /key"), "none");
}

TEST_F(KubeconfigAccessTest, MakesImpersonationHeaders) {
  const Result<ServerAccess> access =
      Resolve(kServer,
              "as: jane, as-uid: '7', as-groups: [a, b], "
              "as-user-extra: {acme.com/project: [x, z]}");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_THAT(
      access->impersonation,
      ElementsAre(Pair("Impersonate-User", "jane"),
                  Pair("Impersonate-Uid", "7"), Pair("Impersonate-Group", "a"),
                  Pair("Impersonate-Group", "b"),
                  Pair("Impersonate-Extra-acme.com%2Fproject", "x"),
                  Pair("Impersonate-Extra-acme.com%2Fproject", "z")));
}

TEST_F(KubeconfigAccessTest, TellsOfEachUnusableUser) {
  const PemPair client = MakeCertificate({});
  files_.texts["/crt"] = client.certificate;
  files_.texts["/key"] = client.key;
  files_.texts["/other-key"] = MakeCertificate({}).key;
  files_.texts["/empty"] = "\n";
  const std::pair<const char*, const char*> cases[] = {
      {"auth-provider: {name: gcp}",
       "auth-provider is not supported; use a token, tokenFile or client "
       "certificate"},
      {"token: a, username: b",
       "both a token and a username are given; keep one"},
      {"tokenFile: /missing",
       "tokenFile /missing does not exist; correct the path"},
      {"tokenFile: /empty",
       "the token /empty is empty or contains blanks; give the token only"},
      {"token: 'a b'",
       "the token is empty or contains blanks; give the token only"},
      {"client-certificate: /crt",
       "client-certificate needs a client-key or client-key-data"},
      {"client-certificate: /missing, client-key: /key",
       "client-certificate /missing does not exist; correct the path"},
      {"client-certificate: /crt, client-certificate-data: QQ==",
       "client-certificate and client-certificate-data are both given; keep "
       "one"},
      {"client-certificate: /crt, client-key: /key, client-key-data: QQ==",
       "client-key and client-key-data are both given; keep one"},
      {"client-certificate-data: '*'",
       "client-certificate-data is not base64; encode the whole PEM "
       "file"},
      {"client-certificate: /crt, client-key: /other-key",
       "the certificate and its key cannot be used: key values "
       "mismatch; give a PEM certificate and its key"},
      {"client-certificate: /crt, client-key: /crt",
       "the key is not an unencrypted PEM key; give a PEM "
       "certificate and its key"},
      {"as-groups: [a]",
       "as-uid, as-groups and as-user-extra need the user name in as"},
      {"as: \"a\\nb\"",
       "an impersonation value has a line break or another control "
       "character; remove it"},
  };
  for (const auto& [user, sentence] : cases) {
    EXPECT_EQ(ErrorOf(kServer, user), sentence) << user;
  }
}

TEST_F(KubeconfigAccessTest, TellsOfEachUnusableCluster) {
  files_.texts["/ca"] = MakeCa().certificate;
  files_.texts["/text"] = "text";
  files_.unreadable = {"/secret"};
  const std::pair<const char*, const char*> cases[] = {
      {"server: 'https://h', proxy-url: 'ftp://a:hush@p'",
       "the proxy-url does not begin with http://, https:// or socks5://; "
       "write it as http://host:port"},
      {"", "its cluster has no server; add its URL"},
      {"server: 'https://'",
       "the server \"https://\" has no valid host and port; write it as "
       "https://host:port"},
      {"server: 'https://h', certificate-authority: /missing",
       "certificate-authority /missing does not exist; correct the path"},
      {"server: 'https://h', certificate-authority: /secret",
       "certificate-authority: cannot read /secret: Permission denied"},
      {"server: 'https://h', certificate-authority: /text",
       "the certificate authority /text has no PEM certificate; give the "
       "PEM file of the CA"},
      {"server: 'https://h', certificate-authority-data: QQ==",
       "the certificate authority has no PEM certificate; give the PEM "
       "file of the CA"},
      {"server: 'https://h', certificate-authority-data: '!'",
       "certificate-authority-data is not base64; encode the whole PEM "
       "file"},
      {"server: 'https://h', certificate-authority: /ca, "
       "insecure-skip-tls-verify: true",
       "insecure-skip-tls-verify and a certificate-authority exclude each "
       "other; keep one"},
  };
  for (const auto& [cluster, sentence] : cases) {
    EXPECT_EQ(ErrorOf(cluster, ""), sentence) << cluster;
  }
}

TEST_F(KubeconfigAccessTest, TellsOfAContextThatPointsNowhere) {
  Kubeconfig config;
  config.contexts["c"] = KubeContext{"/k", "", "u"};
  const auto message = [&] {
    const Result<ServerAccess> access =
        AccessFromKubeconfig(config, "c", "", "kubeconfig /k", files_.Reader());
    return access ? "none" : access.error().message;
  };
  const std::string where = "context c of kubeconfig /k: ";
  EXPECT_EQ(message(), where + "it names no cluster; add one");
  config.contexts["c"].cluster = "k";
  EXPECT_EQ(message(), where + "there is no cluster k; correct the context");
  config.clusters["k"].server = "https://h";
  EXPECT_EQ(message(), where + "there is no user u; correct the context");
}

TEST_F(KubeconfigAccessTest, PutsNoSecretIntoAnError) {
  const Result<ServerAccess> access =
      Resolve(kServer, "token: 'hush hush', password: hush");
  ASSERT_FALSE(access);
  EXPECT_THAT(access.error().message, testing::Not(testing::HasSubstr("hush")));
}

}  // namespace
}  // namespace kem
