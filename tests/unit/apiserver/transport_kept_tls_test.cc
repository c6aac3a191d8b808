// A kept connection over TLS: what a rotation changes, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unit/apiserver/kept_helpers.h"

namespace kem {
namespace {

using testing::ElementsAre;

PemPair IssueFor(const PemPair& ca, const std::string& common_name) {
  CertificateWish wish;
  wish.common_name = common_name;
  wish.alternative_names = {"IP:127.0.0.1"};
  return MakeCertificate(wish, &ca);
}

// The value of Authorization in a request's head.
std::string AuthorizationIn(const std::string& head) {
  const std::string name = "\r\nAuthorization: ";
  const size_t at = head.find(name);
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size();
  return head.substr(begin, head.find('\r', begin) - begin);
}

class TransportKeptTlsTest : public testing::Test {
 protected:
  TransportKeptTlsTest() {
    const PemPair client = IssueFor(ca_, "client");
    files_.texts = {{"/ca", ca_.certificate},
                    {"/crt", client.certificate},
                    {"/key", client.key},
                    {"/token", "one"}};
  }

  ServerTls Tls() const { return {IssueFor(ca_, "server"), ca_.certificate}; }
  ServerAccess AccessTo(const ManyServer& server) {
    ServerAccess access;
    access.origin = "test";
    access.server = *ParseServerUrl(server.Url(), true);
    access.ca = {files_.texts["/ca"], "/ca"};
    access.client_certificate = {files_.texts["/crt"], "/crt"};
    access.client_key = {files_.texts["/key"], "/key"};
    access.token = {files_.texts["/token"], "/token"};
    return access;
  }

  const PemPair ca_ = MakeCa();
  FakeFiles files_;
};

TEST_F(TransportKeptTlsTest, OneHandshakeServesAThousandRequests) {
  const ManyServer server({ManyServer::Answers(kOk)}, Tls());
  KeptClient client(AccessTo(server), files_.Reader());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 1U);
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(TransportKeptTlsTest, ANewTokenIsSentOnTheSameConnection) {
  std::vector<std::string> shown;
  const ManyServer server({[&shown](Peer& peer) {
                            while (true) {
                              const std::string head = peer.ReadHead();
                              if (head.empty()) return;
                              shown.push_back(AuthorizationIn(head));
                              peer.Send(kOk);
                            }
                          }},
                          Tls());
  KeptClient client(AccessTo(server), files_.Reader());
  EXPECT_EQ(client.Get(), "200 ok");
  files_.texts["/token"] = "two";
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 1U);
  EXPECT_THAT(shown, ElementsAre("Bearer one", "Bearer two"));
}

TEST_F(TransportKeptTlsTest, ACredentialPluginRunsOnceForAllTransports) {
  std::atomic<int> with_token = 0;
  const ManyServer server({[&with_token](Peer& peer) {
                            while (true) {
                              const std::string head = peer.ReadHead();
                              if (head.empty()) return;
                              if (AuthorizationIn(head) == "Bearer issued") {
                                ++with_token;
                              }
                              peer.Send(kOk);
                            }
                          }},
                          Tls());
  ServerAccess access = AccessTo(server);
  access.client_certificate = access.client_key = access.token = {};
  access.ca.file.clear();
  const std::string runs = testing::TempDir() + "kept_plugin_runs";
  std::remove(runs.c_str());
  const PemPair client = IssueFor(ca_, "plugin");
  const nlohmann::json credential = {
      {"apiVersion", "client.authentication.k8s.io/v1"},
      {"kind", "ExecCredential"},
      {"status",
       {{"token", "issued"},
        {"clientCertificateData", client.certificate},
        {"clientKeyData", client.key}}}};
  access.exec = ExecConfig{"/bin/sh",
                           {"-c", "echo run >> '" + runs + "'; printf %s '" +
                                      credential.dump() + "'"},
                           {},
                           "client.authentication.k8s.io/v1",
                           ""};
  ApiTransport transport(access, TestResolver());
  FakeClock clock;
  std::atomic<uint64_t> opened = 0;
  const auto one = transport.Keeping(clock, &opened);
  const auto two = transport.Keeping(clock, &opened);
  for (HttpTransport* each : {one.get(), two.get(), one.get(),
                              static_cast<HttpTransport*>(&transport)}) {
    WholeAnswer answer;
    const HttpOutcome outcome = each->Send({"/x"}, answer, {});
    EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
  }
  EXPECT_EQ(with_token, 4);
  EXPECT_EQ(opened, 2U);
  std::ifstream file(runs);
  std::string text;
  file >> text;
  EXPECT_EQ(text, "run");
  EXPECT_FALSE(file >> text);
}

TEST_F(TransportKeptTlsTest, ANewClientCertificateNeedsANewConnection) {
  const ManyServer server({ManyServer::Answers(kOk)}, Tls());
  KeptClient client(AccessTo(server), files_.Reader());
  EXPECT_EQ(client.Get(), "200 ok");
  const PemPair next = IssueFor(ca_, "next");
  // The two files of a rotation change one after the other.
  files_.texts["/crt"] = next.certificate;
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 1U);
  files_.texts["/key"] = next.key;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 2U);
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(TransportKeptTlsTest, ANewAuthorityNeedsANewConnection) {
  const ManyServer server({ManyServer::Answers(kOk)}, Tls());
  KeptClient client(AccessTo(server), files_.Reader());
  EXPECT_EQ(client.Get(), "200 ok");
  files_.texts["/ca"] = "half a certificate";
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 1U);
  const std::string other = MakeCa("other CA").certificate;
  files_.texts["/ca"] = ca_.certificate + other;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 2U);
  files_.texts["/ca"] = other;
  EXPECT_THAT(client.Get(), testing::HasSubstr("certificate verify failed"));
}

TEST_F(TransportKeptTlsTest, ATunnelThroughAProxyIsKept) {
  const ManyServer server({ManyServer::Answers(kOk)}, Tls());
  const ManyServer proxy({[&server](Peer& peer) {
    if (!peer.ReadHead().starts_with("CONNECT ")) return;
    peer.Send("HTTP/1.1 200 OK\r\n\r\n");
    peer.RelayTo(server.Port());
  }});
  ServerAccess access = AccessTo(server);
  access.proxy = *ParseProxyUrl(proxy.Url());
  KeptClient client(access, files_.Reader());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 1U);
  EXPECT_EQ(proxy.connections(), 1U);
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(TransportKeptTlsTest, A401IsTriedAgainOnANewConnection) {
  const ManyServer server(
      {ManyServer::Answers(
           "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
       ManyServer::Answers(kOk)},
      Tls());
  KeptClient client(AccessTo(server), files_.Reader());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 2U);
}

// Without close_notify, as most servers.
TEST_F(TransportKeptTlsTest, ARequestThatIsNotAnsweredIsSentOnceMore) {
  for (const bool reset : {false, true}) {
    const ManyServer server({[reset](Peer& peer) {
                               peer.ReadHead();
                               peer.Send(kOk);
                               peer.ReadHead();
                               if (reset) peer.Reset();
                             },
                             ManyServer::Answers(kOk)},
                            Tls());
    KeptClient client(AccessTo(server), files_.Reader());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.Get(), "200 ok");
    EXPECT_EQ(client.opened, 2U);
    EXPECT_EQ(server.connections(), 2U);
  }
}

TEST_F(TransportKeptTlsTest, ARequestIsNotSentAgainAfterOtherFailures) {
  const ManyServer server({[](Peer& peer) {
                             peer.ReadHead();
                             peer.Send(kOk);
                             peer.ReadHead();
                             peer.SendUnencrypted("no TLS record at all");
                             peer.WaitForEnd();
                           },
                           ManyServer::Answers(kOk)},
                          Tls());
  KeptClient client(AccessTo(server), files_.Reader());
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_THAT(client.Get(), testing::HasSubstr("wrong version number"));
  EXPECT_EQ(server.connections(), 1U);
  EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 2U);
}

TEST_F(TransportKeptTlsTest, IsNotReusedAfterAnythingThatComesWhileIdle) {
  const std::vector<ManyServer::Script> all = {
      [](Peer& peer) { peer.Send("x"); }, [](Peer& peer) { peer.Send(kOk); },
      [](Peer& peer) { peer.SendUnencrypted("\x17\x03\x03"); },
      [](Peer& peer) { peer.SendCloseNotify(); },
      [](Peer& peer) { peer.HalfClose(); }};
  for (const ManyServer::Script& idle : all) {
    Signal sent;
    Signal over;
    std::string more;
    const ManyServer server({[&](Peer& peer) {
                               peer.ReadHead();
                               peer.Send(kOk);
                               peer.ReadHead();
                               peer.Send(kOk);
                               idle(peer);
                               sent.Set();
                               more = peer.ReadByte();
                               over.Set();
                             },
                             ManyServer::Answers(kOk)},
                            Tls());
    KeptClient client(AccessTo(server), files_.Reader());
    for (int i = 0; i < 2; ++i) EXPECT_EQ(client.Get(), "200 ok");
    sent.Wait();
    EXPECT_EQ(client.Get(), "200 ok");
    over.Wait();
    EXPECT_EQ(more, "");
    EXPECT_EQ(client.opened, 2U);
  }
}

// TLS's own messages are no data.
TEST_F(TransportKeptTlsTest, IsReusedAfterAKeyUpdate) {
  Signal sent;
  const ManyServer server({[&](Peer& peer) {
                            peer.ReadHead();
                            peer.Send(kOk);
                            peer.UpdateKey();
                            sent.Set();
                            while (!peer.ReadHead().empty()) peer.Send(kOk);
                          }},
                          Tls());
  KeptClient client(AccessTo(server), files_.Reader());
  EXPECT_EQ(client.Get(), "200 ok");
  sent.Wait();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.Get(), "200 ok");
  EXPECT_EQ(client.opened, 1U);
}

}  // namespace
}  // namespace kem
