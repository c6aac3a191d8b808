// The current credentials, and what stays after a broken file.
#include "apiserver/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/apiserver/fakes.h"
#include "unit/net/certificates.h"

namespace kem {
namespace {

ServerAccess TlsAccess() {
  ServerAccess access;
  access.server = *ParseServerUrl("https://10.0.0.1:6443", true);
  return access;
}

TEST(CredentialsTest, CleansTokens) {
  EXPECT_EQ(CleanToken(" abc.def-_~+/= \r\n"), "abc.def-_~+/=");
  for (const char* text :
       {"", " \n", "a b", "a\nb", "a\tb", "\xC3\xA4", "a\x7F"}) {
    EXPECT_FALSE(CleanToken(text)) << text;
  }
  EXPECT_FALSE(CleanToken(std::string_view("a\0b", 3)));
}

TEST(CredentialsTest, ReadsTheTokenFileForEachRequest) {
  FakeFiles files{{{"/t", "one"}}, {}};
  ServerAccess access = TlsAccess();
  access.token = Material{"first", "/t"};
  Credentials credentials(access, files.Reader());
  EXPECT_EQ(credentials.Authorization(), "Bearer one");
  files.texts["/t"] = "two\n";
  EXPECT_EQ(credentials.Authorization(), "Bearer two");
}

TEST(CredentialsTest, KeepsTheTokenWhileItsFileIsBad) {
  FakeFiles files{{{"/t", "one"}}, {}};
  ServerAccess access = TlsAccess();
  access.token = Material{"", "/t"};
  Credentials credentials(access, files.Reader());
  EXPECT_EQ(credentials.Authorization(), "Bearer one");
  testing::internal::CaptureStderr();
  for (const char* bad : {"", "\n", "a b"}) {
    files.texts["/t"] = bad;
    EXPECT_EQ(credentials.Authorization(), "Bearer one");
  }
  files.unreadable = {"/t"};
  EXPECT_EQ(credentials.Authorization(), "Bearer one");
  files.unreadable.clear();
  files.texts.erase("/t");
  EXPECT_EQ(credentials.Authorization(), "Bearer one");
  EXPECT_EQ(credentials.Authorization(), "Bearer one");
  const std::string log = testing::internal::GetCapturedStderr();
  // One warning per problem, not per request, and without the token.
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 3) << log;
  EXPECT_EQ(log.find("one"), std::string::npos) << log;
  files.texts["/t"] = "three";
  EXPECT_EQ(credentials.Authorization(), "Bearer three");
}

TEST(CredentialsTest, PrefersTheTokenToThePassword) {
  ServerAccess access = TlsAccess();
  access.username = "u";
  access.password = "p";
  EXPECT_EQ(Credentials(access, DiskFiles()).Authorization(), "Basic dTpw");
  access.token.text = "t";
  EXPECT_EQ(Credentials(access, DiskFiles()).Authorization(), "Bearer t");
  // net/http sets these before client-go can set a token.
  access.server.user_info = "a:b";
  EXPECT_EQ(Credentials(access, DiskFiles()).Authorization(), "Basic YTpi");
}

TEST(CredentialsTest, SendsNoPasswordWithoutAUserName) {
  ServerAccess access = TlsAccess();
  access.password = "p";
  EXPECT_EQ(Credentials(access, DiskFiles()).Authorization(), "");
}

TEST(CredentialsTest, ShowsWhatThePluginGave) {
  ServerAccess access = TlsAccess();
  access.exec = ExecConfig{"x", {}, {}, "client.authentication.k8s.io/v1", ""};
  std::string token = "one";
  Credentials credentials(
      access, DiskFiles(), [&token](const Program&, std::stop_token) {
        return ProgramEnd{
            ProgramEnd::How::kExited, 0,
            R"({"kind":"ExecCredential","apiVersion":)"
            R"("client.authentication.k8s.io/v1","status":{"token":")" +
                token + R"("}})",
            ""};
      });
  EXPECT_EQ(credentials.Authorization(), "");
  EXPECT_EQ(*credentials.Prepare(0, {}), 1U);
  EXPECT_EQ(credentials.Authorization(), "Bearer one");
  token = "two";
  EXPECT_EQ(*credentials.Prepare(0, {}), 1U);
  EXPECT_EQ(*credentials.Prepare(1, {}), 2U);
  EXPECT_EQ(credentials.Authorization(), "Bearer two");
  token = "no good";
  EXPECT_EQ(credentials.Prepare(2, {}).error().message,
            "credential plugin x: its token is empty or contains blanks");
  EXPECT_EQ(credentials.Authorization(), "Bearer two");
}

TEST(CredentialsTest, HasNoneForAnonymousAndForPlainHttp) {
  ServerAccess access = TlsAccess();
  EXPECT_EQ(Credentials(access, DiskFiles()).Authorization(), "");
  access.token.text = "t";
  access.server.tls = false;
  EXPECT_EQ(Credentials(access, DiskFiles()).Authorization(), "");
}

TEST(CredentialsTest, VerifiesTheHostUnlessAnotherNameIsGiven) {
  ServerAccess access = TlsAccess();
  EXPECT_EQ(Credentials(access, DiskFiles()).Tls().server_name, "10.0.0.1");
  access.tls_server_name = "kubernetes";
  EXPECT_EQ(Credentials(access, DiskFiles()).Tls().server_name, "kubernetes");
}

TEST(CredentialsTest, TakesANewAuthorityOnlyWhenItCanBeRead) {
  const std::string one = MakeCa("one").certificate;
  const std::string two = MakeCa("two").certificate;
  FakeFiles files{{{"/ca", one}}, {}};
  ServerAccess access = TlsAccess();
  access.ca = Material{one, "/ca"};
  Credentials credentials(access, files.Reader());
  EXPECT_EQ(credentials.Tls().ca_pem, one);
  for (const std::string& bad :
       {std::string(), std::string("\n"), two.substr(0, two.size() / 2),
        std::string("text")}) {
    files.texts["/ca"] = bad;
    EXPECT_EQ(credentials.Tls().ca_pem, one);
  }
  files.texts.erase("/ca");
  EXPECT_EQ(credentials.Tls().ca_pem, one);
  files.texts["/ca"] = one + two;
  EXPECT_EQ(credentials.Tls().ca_pem, one + two);
  // What can be read of a bundle is enough, as for Go.
  const std::string torn = two + one.substr(0, one.size() / 2);
  files.texts["/ca"] = torn;
  EXPECT_EQ(credentials.Tls().ca_pem, torn);
}

TEST(CredentialsTest, TrustsTheSystemOnlyWithoutAnAuthority) {
  ServerAccess access = TlsAccess();
  FakeFiles files;
  EXPECT_EQ(Credentials(access, files.Reader()).Tls().ca_pem, std::nullopt);
  access.ca.file = "/ca";
  EXPECT_EQ(Credentials(access, files.Reader()).Tls().ca_pem, "");
  files.texts["/ca"] = "";
  EXPECT_EQ(Credentials(access, files.Reader()).Tls().ca_pem, "");
}

TEST(CredentialsTest, KeepsTheCertificateWhileAFileIsEmpty) {
  const PemPair one = MakeCertificate({});
  FakeFiles files{{{"/crt", ""}, {"/key", one.key}}, {}};
  ServerAccess access = TlsAccess();
  access.client_certificate = Material{one.certificate, "/crt"};
  access.client_key = Material{one.key, "/key"};
  Credentials credentials(access, files.Reader());
  EXPECT_EQ(credentials.Tls().certificate_pem, one.certificate);
}

TEST(CredentialsTest, TakesANewCertificateOnlyTogetherWithItsKey) {
  const PemPair one = MakeCertificate({});
  const PemPair two = MakeCertificate({});
  FakeFiles files{{{"/crt", one.certificate}, {"/key", one.key}}, {}};
  ServerAccess access = TlsAccess();
  access.client_certificate = Material{one.certificate, "/crt"};
  access.client_key = Material{one.key, "/key"};
  Credentials credentials(access, files.Reader());
  files.texts["/crt"] = two.certificate;
  EXPECT_EQ(credentials.Tls().certificate_pem, one.certificate);
  files.texts["/key"] = two.key;
  const TlsSettings settings = credentials.Tls();
  EXPECT_EQ(settings.certificate_pem, two.certificate);
  EXPECT_EQ(settings.key_pem, two.key);
}

}  // namespace
}  // namespace kem
