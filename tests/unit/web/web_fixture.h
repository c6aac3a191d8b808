// A real HttpServer on loopback with a web configuration, certificates of its
// own and clients. Used by the tests of TLS, logins and their reload. Lowers no
// limits: see limits_fixture.h.
#pragma once

#include <gmock/gmock.h>
#include <httplib.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "testing/temp_folder.h"
#include "unit/net/certificates.h"
#include "unit/web/raw_client.h"
#include "web/http_server.h"

namespace kem {

// bcrypt of "secret" at the lowest cost, from crypt(3).
inline constexpr char kSecretHash[] =
    "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

class WebServerTest : public ::testing::Test {
 protected:
  WebServerTest() {
    WritePair("server", Signed("localhost", {"IP:127.0.0.1"}));
  }

  PemPair Signed(const std::string& name, std::vector<std::string> sans,
                 const PemPair* issuer = nullptr) {
    CertificateWish wish;
    wish.common_name = name;
    wish.alternative_names = std::move(sans);
    return MakeCertificate(wish, issuer == nullptr ? &ca : issuer);
  }
  std::string Path(const std::string& name) {
    return folder.path() + "/" + name;
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(Path(name)) << text;
  }
  void WritePair(const std::string& name, const PemPair& pair) {
    Write(name + ".crt", pair.certificate);
    Write(name + ".key", pair.key);
  }

  Result<void> Start(const std::string& config) {
    Write("web.yaml", config);
    Write("ca.crt", ca.certificate);
    HttpContent content;
    content.scrape = [](const std::string&) {
      return Scrape{"text/plain", [](std::string& out) {
                      out += "metric 1\n";
                      return false;
                    }};
    };
    content.routes = {{"/", [](const RouteRequest&, const std::stop_token&) {
                         return RouteAnswer{.content_type = "text/html",
                                            .body = "page\n"};
                       }}};
    content.livez = [] { return Health{true, "alive\n"}; };
    content.readyz = [] { return Health{true, "ready\n"}; };
    content.reload = [this] {
      ++reloads;
      return Result<std::string>("reloaded");
    };
    HttpServerOptions options;
    options.address = {"127.0.0.1", 0};
    options.web_config_file = Path("web.yaml");
    limits.reread = std::chrono::milliseconds(0);
    options.limits = limits;
    auto started = HttpServer::Start(options, std::move(content), stats);
    if (!started) return started.error();
    server = std::move(*started);
    const std::string& address = server->address();
    port = std::stoi(address.substr(address.rfind(':') + 1));
    return {};
  }

  // Trusts the test's CA; `client` names a client's pair of files.
  std::unique_ptr<httplib::SSLClient> Tls(const std::string& client = "") {
    auto made = client.empty()
                    ? std::make_unique<httplib::SSLClient>("127.0.0.1", port)
                    : std::make_unique<httplib::SSLClient>(
                          "127.0.0.1", port, Path(client + ".crt"),
                          Path(client + ".key"));
    made->set_ca_cert_path(Path("ca.crt"));
    made->enable_server_certificate_verification(true);
    return made;
  }

  // The status of a GET; 0 without an answer.
  static int Status(httplib::ClientImpl& client,
                    const httplib::Headers& headers = {}) {
    const auto reply = client.Get("/metrics", headers);
    return reply ? reply->status : 0;
  }
  int PlainStatus(const httplib::Headers& headers = {}) {
    httplib::Client client("127.0.0.1", port);
    const auto reply = client.Get("/metrics", headers);
    return reply ? reply->status : 0;
  }
  static httplib::Headers Basic(const std::string& name,
                                const std::string& password) {
    return {httplib::make_basic_authentication_header(name, password)};
  }

  static constexpr char kTls[] =
      "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

  TempFolder folder;
  PemPair ca = MakeCa();
  HttpLimits limits;
  HttpStats stats;
  std::atomic<int> reloads = 0;
  int port = 0;
  std::unique_ptr<HttpServer> server;
};

}  // namespace kem
