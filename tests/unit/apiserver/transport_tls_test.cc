// The trusted authorities, the client certificate and the errors of TLS.
// Certificates are created here; servers are real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "apiserver/api_transport.h"
#include "unit/apiserver/fakes.h"
#include "unit/net/certificates.h"
#include "unit/net/test_server.h"

namespace kem {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

PemPair Issue(const PemPair& ca, std::vector<std::string> names,
              const std::string& common_name = "server") {
  CertificateWish wish;
  wish.common_name = common_name;
  wish.alternative_names = std::move(names);
  return MakeCertificate(wish, &ca);
}

void AnswerOk(Peer& peer) {
  peer.ReadHead();
  peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

class TransportTlsTest : public testing::Test {
 protected:
  ServerAccess AccessTo(const TestServer& server) const {
    ServerAccess access;
    access.origin = "test";
    access.server = *ParseServerUrl(server.Url(), true);
    access.ca.text = ca_.certificate;
    return access;
  }

  static HttpOutcome Get(const ServerAccess& access) {
    RecordingHandler handler;
    return ApiTransport(access, TestResolver()).Send({"/x"}, handler, {});
  }

  const PemPair ca_ = MakeCa();
};

TEST_F(TransportTlsTest, TakesAnIpAddressAmongTheAlternativeNames) {
  TestServer server(AnswerOk, ServerTls{Issue(ca_, {"IP:127.0.0.1"}), ""});
  const HttpOutcome outcome = Get(AccessTo(server));
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
}

TEST_F(TransportTlsTest, TakesAnIpv6Address) {
  TestServer server(AnswerOk, ServerTls{Issue(ca_, {"IP:::1"}), ""},
                    /*ipv6=*/true);
  // Cannot run on a machine without IPv6.
  if (!server.Listening()) return;
  const HttpOutcome outcome = Get(AccessTo(server));
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
}

// A certificate and the Host header have the address without the zone.
TEST_F(TransportTlsTest, TakesAnIpv6AddressWithAZone) {
  std::string sent;
  TestServer server(
      [&](Peer& peer) {
        sent = peer.ReadHead();
        peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      },
      ServerTls{Issue(ca_, {"IP:::1"}), ""}, /*ipv6=*/true);
  if (!server.Listening()) return;
  ServerAccess access = AccessTo(server);
  access.server.host += "%1";  // the loopback interface
  const HttpOutcome outcome = Get(access);
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
  EXPECT_THAT(sent, HasSubstr("\r\nHost: [::1]:"));
}

TEST_F(TransportTlsTest, RefusesAnotherAddress) {
  TestServer server(AnswerOk, ServerTls{Issue(ca_, {"IP:127.0.0.2"}), ""});
  const HttpOutcome outcome = Get(AccessTo(server));
  EXPECT_EQ(outcome.end, HttpEnd::kUnreachable);
  EXPECT_THAT(outcome.message,
              HasSubstr("certificate verify failed: IP address mismatch"));
}

TEST_F(TransportTlsTest, RefusesACommonNameEvenWithWildcards) {
  TestServer server(AnswerOk, ServerTls{Issue(ca_, {}, "*.*.*.*"), ""});
  EXPECT_EQ(Get(AccessTo(server)).end, HttpEnd::kUnreachable);
}

TEST_F(TransportTlsTest, RefusesAnUnknownAuthority) {
  const PemPair other = MakeCa("other CA");
  TestServer server(AnswerOk, ServerTls{Issue(other, {"IP:127.0.0.1"}), ""});
  const HttpOutcome outcome = Get(AccessTo(server));
  EXPECT_EQ(outcome.end, HttpEnd::kUnreachable);
  EXPECT_THAT(outcome.message,
              HasSubstr("certificate verify failed: unable to get local "
                        "issuer certificate"));
}

TEST_F(TransportTlsTest, TrustsTheSystemOnlyWhenNoAuthorityIsGiven) {
  TestServer server(AnswerOk, ServerTls{Issue(ca_, {"IP:127.0.0.1"}), ""});
  ServerAccess access = AccessTo(server);
  access.ca.text.clear();
  EXPECT_EQ(Get(access).end, HttpEnd::kUnreachable);
}

TEST_F(TransportTlsTest, TrustsNothingWhenTheAuthorityIsEmpty) {
  TestServer server(AnswerOk, ServerTls{Issue(ca_, {"IP:127.0.0.1"}), ""});
  ServerAccess access = AccessTo(server);
  access.ca = Material{"", "/ca"};
  RecordingHandler handler;
  const FakeFiles files{{{"/ca", ""}}, {}};
  const HttpOutcome outcome =
      ApiTransport(access, TestResolver(), files.Reader())
          .Send({"/x"}, handler, {});
  EXPECT_EQ(outcome.end, HttpEnd::kUnreachable);
  EXPECT_EQ(outcome.message, "the CA bundle: has no PEM certificate");
}

TEST_F(TransportTlsTest, TrustsTheWholeCertificatesOfABrokenBundle) {
  TestServer server(AnswerOk, ServerTls{Issue(ca_, {"IP:127.0.0.1"}), ""});
  ServerAccess access = AccessTo(server);
  const std::string other = MakeCa("other CA").certificate;
  std::string broken = other;
  broken[broken.size() / 2] = '*';
  const std::string torn = other.substr(0, other.size() / 2);
  for (const std::string& bundle :
       {broken + ca_.certificate, ca_.certificate + broken,
        torn + "\n" + ca_.certificate, ca_.certificate + torn}) {
    access.ca.text = bundle;
    const HttpOutcome outcome = Get(access);
    EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
  }
  access.ca.text = broken + torn;
  EXPECT_EQ(Get(access).message, "the CA bundle: has no valid PEM certificate");
}

// As Go: a name with a dot at its end is the same name.
TEST_F(TransportTlsTest, VerifiesANameWithoutTheDotAtItsEnd) {
  TestServer server(AnswerOk, ServerTls{Issue(ca_, {"DNS:localhost"}), ""});
  ServerAccess access = AccessTo(server);
  access.tls_server_name = "localhost.";
  const HttpOutcome outcome = Get(access);
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
  access.tls_server_name = ".";
  EXPECT_EQ(Get(access).message, "the server's name is empty");
  EXPECT_THAT(server.ServerNames(), ElementsAre("localhost"));
}

TEST_F(TransportTlsTest, TakesAnythingWhenToldNotToVerify) {
  const PemPair other = MakeCa("other CA");
  TestServer server(AnswerOk, ServerTls{Issue(other, {"DNS:other"}), ""});
  ServerAccess access = AccessTo(server);
  access.ca.text.clear();
  access.insecure_skip_tls_verify = true;
  EXPECT_EQ(Get(access).end, HttpEnd::kComplete);
}

TEST_F(TransportTlsTest, TakesAnIntermediateAuthorityAsAnchor) {
  CertificateWish wish;
  wish.common_name = "intermediate";
  wish.is_ca = true;
  const PemPair intermediate = MakeCertificate(wish, &ca_);
  TestServer server(AnswerOk,
                    ServerTls{Issue(intermediate, {"IP:127.0.0.1"}), ""});
  ServerAccess access = AccessTo(server);
  access.ca.text = intermediate.certificate;
  const HttpOutcome outcome = Get(access);
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
}

TEST_F(TransportTlsTest, VerifiesTheTlsServerNameInPlaceOfTheHost) {
  std::string sent;
  TestServer server(
      [&](Peer& peer) {
        sent = peer.ReadHead();
        peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      },
      ServerTls{Issue(ca_, {"DNS:kubernetes.default"}), ""});
  ServerAccess access = AccessTo(server);
  EXPECT_EQ(Get(access).end, HttpEnd::kUnreachable);
  access.tls_server_name = "kubernetes.default";
  EXPECT_EQ(Get(access).end, HttpEnd::kComplete);
  EXPECT_THAT(sent, HasSubstr("\r\nHost: 127.0.0.1:" +
                              std::to_string(server.Port()) + "\r\n"));
  access.tls_server_name = "other.default";
  EXPECT_THAT(Get(access).message, HasSubstr("hostname mismatch"));
  EXPECT_THAT(server.ServerNames(),
              ElementsAre("", "kubernetes.default", "other.default"));
}

TEST_F(TransportTlsTest, TakesTheTlsServerNameForAHostGivenByName) {
  TestServer server(AnswerOk, ServerTls{Issue(ca_, {"DNS:kubernetes"}), ""});
  ServerAccess access = AccessTo(server);
  access.server.host = "localhost";
  access.tls_server_name = "kubernetes";
  const HttpOutcome outcome = Get(access);
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
}

TEST_F(TransportTlsTest, ShowsItsCertificateWithTheChain) {
  CertificateWish wish;
  wish.common_name = "client intermediate";
  wish.is_ca = true;
  const PemPair intermediate = MakeCertificate(wish, &ca_);
  const PemPair client = Issue(intermediate, {}, "exporter");
  TestServer server(AnswerOk,
                    ServerTls{Issue(ca_, {"IP:127.0.0.1"}), ca_.certificate});
  ServerAccess access = AccessTo(server);
  access.client_key.text = client.key;
  access.client_certificate.text = client.certificate;
  EXPECT_NE(Get(access).end, HttpEnd::kComplete);
  access.client_certificate.text =
      client.certificate + intermediate.certificate;
  const HttpOutcome outcome = Get(access);
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
}

TEST_F(TransportTlsTest, TellsThatTheServerWantsACertificate) {
  TestServer server(AnswerOk,
                    ServerTls{Issue(ca_, {"IP:127.0.0.1"}), ca_.certificate});
  const HttpOutcome outcome = Get(AccessTo(server));
  EXPECT_EQ(outcome.end, HttpEnd::kUnreachable);
  EXPECT_THAT(outcome.message, HasSubstr("certificate required"));
}

TEST_F(TransportTlsTest, TellsThatThePortSpeaksNoTls) {
  TestServer server([](Peer& peer) {
    peer.Send("HTTP/1.1 400 Bad Request\r\n\r\n");
    peer.WaitForEnd();
  });
  ServerAccess access = AccessTo(server);
  access.server.tls = true;
  const HttpOutcome outcome = Get(access);
  EXPECT_EQ(outcome.end, HttpEnd::kUnreachable);
  EXPECT_THAT(outcome.message, HasSubstr("wrong version number"));
}

TEST_F(TransportTlsTest, TellsOfAConnectionClosedInTheHandshake) {
  TestServer server([](Peer& peer) { peer.ReadByte(); });
  ServerAccess access = AccessTo(server);
  access.server.tls = true;
  const HttpOutcome outcome = Get(access);
  EXPECT_EQ(outcome.end, HttpEnd::kUnreachable);
  EXPECT_THAT(outcome.message, HasSubstr("TLS handshake with 127.0.0.1:"));
}

TEST_F(TransportTlsTest, TellsATruncatedBodyFromAWholeOne) {
  const std::string whole =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "1\r\nx\r\n0\r\n\r\n";
  for (const size_t missing : {0U, 1U, 5U, 8U}) {
    TestServer server(
        [&](Peer& peer) {
          peer.ReadHead();
          peer.Send(whole.substr(0, whole.size() - missing));
        },
        ServerTls{Issue(ca_, {"IP:127.0.0.1"}), ""});
    EXPECT_EQ(Get(AccessTo(server)).end,
              missing == 0 ? HttpEnd::kComplete : HttpEnd::kTruncated)
        << missing;
  }
}

TEST_F(TransportTlsTest, ReadsMoreThanOneRecordAndBuffer) {
  const std::string body(300000, 'b');
  TestServer server(
      [&](Peer& peer) {
        peer.ReadHead();
        peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body);
      },
      ServerTls{Issue(ca_, {"IP:127.0.0.1"}), ""});
  RecordingHandler handler;
  EXPECT_EQ(ApiTransport(AccessTo(server), TestResolver())
                .Send({"/x"}, handler, {})
                .end,
            HttpEnd::kComplete);
  EXPECT_EQ(handler.Body(), body);
}

}  // namespace
}  // namespace kem
