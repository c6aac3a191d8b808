// Valid and invalid outputs of a credential plugin.
#include "apiserver/exec_credential.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rfc3339.h"
#include "unit/net/certificates.h"

namespace kem {
namespace {

constexpr char kV1[] = "client.authentication.k8s.io/v1";

std::string Printed(const std::string& status) {
  return std::string(R"({"kind":"ExecCredential","apiVersion":")") + kV1 +
         R"(","status":)" + status + "}";
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string ErrorOf(const std::string& text) {
  const Result<ExecCredential> credential = ParseExecCredential(text, kV1);
  return credential ? "none" : credential.error().message;
}

TEST(ExecCredentialTest, ReadsAToken) {
  const Result<ExecCredential> credential = ParseExecCredential(
      Printed(R"({"token":"abc\n","expirationTimestamp":)"
              R"("2026-11-23T12:53:29+01:00","clientKeyData":null})"),
      kV1);
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_EQ(credential->token, "abc");
  EXPECT_EQ(credential->expires, ParseRfc3339("2026-11-23T11:53:29Z"));
  EXPECT_EQ(credential->certificate_pem, "");
}

TEST(ExecCredentialTest, ReadsACertificate) {
  const PemPair pair = MakeCertificate({});
  const Result<ExecCredential> credential = ParseExecCredential(
      Printed(R"({"clientCertificateData":)" + Quoted(pair.certificate) +
              R"(,"clientKeyData":)" + Quoted(pair.key) + "}"),
      kV1);
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_EQ(credential->certificate_pem, pair.certificate);
  EXPECT_EQ(credential->key_pem, pair.key);
  EXPECT_EQ(credential->token, "");
  EXPECT_FALSE(credential->expires);
}

// client-go decodes YAML too.
TEST(ExecCredentialTest, ReadsYaml) {
  const Result<ExecCredential> credential = ParseExecCredential(
      "# made by hand\n"
      "kind: ExecCredential\n"
      "apiVersion: client.authentication.k8s.io/v1\n"
      "status:\n"
      "  token: abc\n"
      "  expirationTimestamp: 2026-11-23T11:53:29Z\n",
      kV1);
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_EQ(credential->token, "abc");
  EXPECT_EQ(credential->expires, ParseRfc3339("2026-11-23T11:53:29Z"));
  EXPECT_EQ(ErrorOf("kind: [hush"), "its output is neither JSON nor YAML");
}

TEST(ExecCredentialTest, TellsWhatIsWrong) {
  const std::string pem = Quoted(MakeCertificate({}).certificate);
  const std::string other_key = Quoted(MakeCertificate({}).key);
  const std::pair<std::string, const char*> cases[] = {
      {"", "its output is not an ExecCredential"},
      {"token", "its output is not an ExecCredential"},
      {"[]", "its output is not an ExecCredential"},
      {Printed("{}") + "x", "its output is neither JSON nor YAML"},
      {"{}", "its output is not an ExecCredential"},
      {R"({"kind":7})", "its output is not an ExecCredential"},
      {R"({"kind":"ExecCredential","apiVersion":"v1"})",
       "its output does not have the apiVersion "
       "client.authentication.k8s.io/v1 of the kubeconfig"},
      {Printed("null"), "its output has no status"},
      {Printed("{}"), "it returned neither a token nor a client certificate"},
      {Printed(R"({"token":7})"), "its status.token is not a string"},
      {Printed(R"({"token":" "})"), "its token is empty or contains blanks"},
      {Printed(R"({"token":"a\r\nb"})"),
       "its token is empty or contains blanks"},
      {Printed(R"({"token":"a","expirationTimestamp":"soon"})"),
       "its status.expirationTimestamp is not a time"},
      {Printed(R"({"token":"a","clientKeyData":"k"})"),
       "it returned a client certificate or a key, but not both"},
      {Printed(R"({"clientCertificateData":)" + pem + R"(,"clientKeyData":)" +
               other_key + "}"),
       "the certificate and its key cannot be used: key values "
       "mismatch"},
  };
  for (const auto& [text, sentence] : cases) {
    EXPECT_EQ(ErrorOf(text), sentence) << text;
  }
}

TEST(ExecCredentialTest, PutsNoSecretIntoAnError) {
  for (const char* status : {R"({"token":"hush hush"})", R"(["hush"])",
                             R"({"token":"x","clientKeyData":"hush"})"}) {
    EXPECT_THAT(ErrorOf(Printed(status)),
                testing::Not(testing::HasSubstr("hush")));
  }
  EXPECT_THAT(ErrorOf("hush"), testing::Not(testing::HasSubstr("hush")));
}

}  // namespace
}  // namespace kem
