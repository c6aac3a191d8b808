// Tokens and certificates as the transport sends them, and their rotation
// while it runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "apiserver/api_transport.h"
#include "unit/apiserver/fakes.h"
#include "unit/net/certificates.h"
#include "unit/net/test_server.h"

namespace kem {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A TLS server that accepts one token and records those it receives.
class TokenServer {
 public:
  explicit TokenServer(std::string good)
      : good_(std::move(good)),
        server_([this](Peer& peer) { Serve(peer); },
                ServerTls{Identity(), ""}) {}

  ServerAccess Access() const {
    ServerAccess access;
    access.origin = "test";
    access.server = *ParseServerUrl(server_.Url(), true);
    access.insecure_skip_tls_verify = true;
    return access;
  }
  std::vector<std::string> Shown() const {
    const std::lock_guard lock(mutex_);
    return shown_;
  }
  std::string Head() const {
    const std::lock_guard lock(mutex_);
    return head_;
  }

 private:
  static PemPair Identity() {
    CertificateWish wish;
    wish.alternative_names = {"IP:127.0.0.1"};
    return MakeCertificate(wish);
  }

  void Serve(Peer& peer) {
    const std::string head = peer.ReadHead();
    const std::string name = "\r\nAuthorization: ";
    std::string value;
    if (const size_t at = head.find(name); at != std::string::npos) {
      value = head.substr(at + name.size());
      value.resize(value.find("\r\n"));
    }
    {
      const std::lock_guard lock(mutex_);
      shown_.push_back(value);
      head_ = head;
    }
    peer.Send(value == good_
                  ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                  : "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno");
  }

  const std::string good_;
  mutable std::mutex mutex_;
  std::vector<std::string> shown_;
  std::string head_;
  TestServer server_;
};

TEST(TransportCredentialsTest, SendsTheTokenFileAsItIsNow) {
  const TokenServer server("Bearer new");
  FakeFiles files{{{"/token", "new\n"}}, {}};
  ServerAccess access = server.Access();
  access.token = Material{"old", "/token"};
  ApiTransport transport(access, TestResolver(), files.Reader());
  RecordingHandler handler;
  EXPECT_EQ(transport.Send({"/x"}, handler, {}).end, HttpEnd::kComplete);
  EXPECT_THAT(server.Shown(), ElementsAre("Bearer new"));
}

TEST(TransportCredentialsTest, TriesAgainAtOnceWithANewTokenAfter401) {
  const TokenServer server("Bearer new");
  int reads = 0;
  const FileReader rotating =
      [&reads](const std::string&) -> Result<std::optional<std::string>> {
    return std::optional<std::string>(++reads == 1 ? "old" : "new");
  };
  ServerAccess access = server.Access();
  access.token = Material{"old", "/token"};
  ApiTransport transport(access, TestResolver(), rotating);
  RecordingHandler handler;
  EXPECT_EQ(transport.Send({"/x"}, handler, {}).end, HttpEnd::kComplete);
  EXPECT_THAT(server.Shown(), ElementsAre("Bearer old", "Bearer new"));
  ASSERT_EQ(handler.heads.size(), 1U);
  EXPECT_EQ(handler.heads[0].status, 200);
  EXPECT_EQ(handler.Body(), "ok");
}

TEST(TransportCredentialsTest, ShowsTheHandlerThe401ThatStays) {
  const TokenServer server("Bearer other");
  ServerAccess access = server.Access();
  access.token.text = "wrong";
  RecordingHandler handler;
  EXPECT_EQ(ApiTransport(access, TestResolver()).Send({"/x"}, handler, {}).end,
            HttpEnd::kComplete);
  EXPECT_THAT(server.Shown(), ElementsAre("Bearer wrong", "Bearer wrong"));
  ASSERT_EQ(handler.heads.size(), 1U);
  EXPECT_EQ(handler.heads[0].status, 401);
  EXPECT_EQ(handler.Body(), "no");
}

TEST(TransportCredentialsTest, SendsLongTokens) {
  const std::string token(20000, 't');
  const TokenServer server("Bearer " + token);
  ServerAccess access = server.Access();
  access.token.text = token;
  RecordingHandler handler;
  ApiTransport(access, TestResolver()).Send({"/x"}, handler, {});
  ASSERT_EQ(handler.heads.size(), 1U);
  EXPECT_EQ(handler.heads[0].status, 200);
}

TEST(TransportCredentialsTest, SendsUserNameAndPassword) {
  const TokenServer server("Basic YWxhZGRpbjpvcGVuc2VzYW1l");
  ServerAccess access = server.Access();
  access.username = "aladdin";
  access.password = "opensesame";
  RecordingHandler handler;
  ApiTransport(access, TestResolver()).Send({"/x"}, handler, {});
  ASSERT_EQ(handler.heads.size(), 1U);
  EXPECT_EQ(handler.heads[0].status, 200);
}

TEST(TransportCredentialsTest, SendsImpersonation) {
  const TokenServer server("");
  ServerAccess access = server.Access();
  access.impersonation = {{"Impersonate-User", "jane"},
                          {"Impersonate-Group", "a"},
                          {"Impersonate-Group", "b"}};
  RecordingHandler handler;
  ApiTransport(access, TestResolver()).Send({"/x"}, handler, {});
  EXPECT_THAT(server.Head(), HasSubstr("\r\nImpersonate-User: jane\r\n"));
  EXPECT_THAT(server.Head(), HasSubstr("\r\nImpersonate-Group: a\r\n"));
  EXPECT_THAT(server.Head(), HasSubstr("\r\nImpersonate-Group: b\r\n"));
  EXPECT_THAT(server.Head(), Not(HasSubstr("Authorization")));
}

TEST(TransportCredentialsTest, TakesANewAuthorityForTheNextConnection) {
  const PemPair old_ca = MakeCa("old CA");
  const PemPair new_ca = MakeCa("new CA");
  CertificateWish wish;
  wish.alternative_names = {"IP:127.0.0.1"};
  TestServer server(
      [](Peer& peer) {
        peer.ReadHead();
        peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      },
      ServerTls{MakeCertificate(wish, &new_ca), ""});
  FakeFiles files{{{"/ca", old_ca.certificate}}, {}};
  ServerAccess access;
  access.server = *ParseServerUrl(server.Url(), true);
  access.ca = Material{old_ca.certificate, "/ca"};
  ApiTransport transport(access, TestResolver(), files.Reader());
  RecordingHandler handler;
  EXPECT_EQ(transport.Send({"/x"}, handler, {}).end, HttpEnd::kUnreachable);
  files.texts["/ca"] = new_ca.certificate;
  EXPECT_EQ(transport.Send({"/x"}, handler, {}).end, HttpEnd::kComplete);
  files.texts["/ca"] = "half a cert";
  EXPECT_EQ(transport.Send({"/x"}, handler, {}).end, HttpEnd::kComplete);
}

TEST(TransportCredentialsTest, TakesANewClientCertificate) {
  const PemPair ca = MakeCa();
  CertificateWish wish;
  wish.alternative_names = {"IP:127.0.0.1"};
  const PemPair stranger = MakeCertificate({"stranger", {}, false});
  const PemPair client = MakeCertificate({"client", {}, false}, &ca);
  TestServer server(
      [](Peer& peer) {
        peer.ReadHead();
        peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      },
      ServerTls{MakeCertificate(wish, &ca), ca.certificate});
  FakeFiles files{{{"/crt", stranger.certificate}, {"/key", stranger.key}}, {}};
  ServerAccess access;
  access.server = *ParseServerUrl(server.Url(), true);
  access.ca.text = ca.certificate;
  access.client_certificate = Material{stranger.certificate, "/crt"};
  access.client_key = Material{stranger.key, "/key"};
  ApiTransport transport(access, TestResolver(), files.Reader());
  RecordingHandler handler;
  EXPECT_EQ(transport.Send({"/x"}, handler, {}).end, HttpEnd::kUnreachable);
  files.texts = {{"/crt", client.certificate}, {"/key", client.key}};
  EXPECT_EQ(transport.Send({"/x"}, handler, {}).end, HttpEnd::kComplete);
}

}  // namespace
}  // namespace kem
