#include "unit/net/test_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <utility>

namespace kem {
namespace {

using SslContext = std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)>;

X509* ReadCertificate(BIO* bio) {
  return PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
}

SslContext MakeContext(const ServerTls& tls) {
  SslContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  BIO* bio = BIO_new_mem_buf(tls.identity.certificate.data(), -1);
  for (int i = 0; X509* certificate = ReadCertificate(bio); ++i) {
    if (i == 0) {
      SSL_CTX_use_certificate(context.get(), certificate);
    } else {
      SSL_CTX_add1_chain_cert(context.get(), certificate);
    }
    X509_free(certificate);
  }
  BIO_free(bio);
  bio = BIO_new_mem_buf(tls.identity.key.data(), -1);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  SSL_CTX_use_PrivateKey(context.get(), key);
  EVP_PKEY_free(key);
  BIO_free(bio);
  if (!tls.client_ca.empty()) {
    bio = BIO_new_mem_buf(tls.client_ca.data(), -1);
    X509* ca = ReadCertificate(bio);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca);
    X509_free(ca);
    BIO_free(bio);
    SSL_CTX_set_verify(context.get(),
                       SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       nullptr);
  }
  return context;
}

int Bind(int fd, bool ipv6) {
  sockaddr_in6 address6{};
  sockaddr_in address4{};
  address6.sin6_family = AF_INET6;
  address6.sin6_addr = in6addr_loopback;
  address4.sin_family = AF_INET;
  address4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = ipv6 ? reinterpret_cast<sockaddr*>(&address6)
                       : reinterpret_cast<sockaddr*>(&address4);
  socklen_t size = ipv6 ? sizeof(address6) : sizeof(address4);
  if (::bind(fd, address, size) != 0 || ::listen(fd, 16) != 0 ||
      ::getsockname(fd, address, &size) != 0) {
    return -1;
  }
  return ntohs(ipv6 ? address6.sin6_port : address4.sin_port);
}

}  // namespace

int Peer::ReadSome(char* bytes, int size) {
  if (ssl_ != nullptr) return SSL_read(ssl_, bytes, size);
  return static_cast<int>(::recv(fd_, bytes, static_cast<size_t>(size), 0));
}

std::string Peer::ReadHead() {
  std::string head;
  char byte = 0;
  while (!head.ends_with("\r\n\r\n") && ReadSome(&byte, 1) == 1) head += byte;
  return head;
}

std::string Peer::ReadBytes(size_t most) {
  std::string bytes(most, 0);
  const int got = ReadSome(bytes.data(), static_cast<int>(most));
  bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return bytes;
}

std::string Peer::ReadByte() { return ReadBytes(1); }

bool Peer::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent =
        ssl_ != nullptr
            ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
            : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void Peer::WaitForEnd() {
  std::array<char, 256> bytes{};
  while (ReadSome(bytes.data(), static_cast<int>(bytes.size())) > 0) {
  }
}

void Peer::HalfClose() { ::shutdown(fd_, SHUT_WR); }

bool Peer::SendUnencrypted(std::string_view bytes) {
  return Peer(fd_, nullptr).Send(bytes);
}

void Peer::SendCloseNotify() { SSL_shutdown(ssl_); }

void Peer::UpdateKey() {
  SSL_key_update(ssl_, SSL_KEY_UPDATE_REQUESTED);
  SSL_do_handshake(ssl_);
}

void Peer::RelayTo(int port) {
  const UniqueFd target(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (::connect(target.get(), reinterpret_cast<sockaddr*>(&address),
                sizeof(address)) != 0) {
    return;
  }
  std::array<pollfd, 2> ends{pollfd{fd_, POLLIN, 0},
                             pollfd{target.get(), POLLIN, 0}};
  std::array<char, 4096> bytes{};
  while (::poll(ends.data(), ends.size(), -1) > 0) {
    for (size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].revents == 0) continue;
      const ssize_t got = ::recv(ends[i].fd, bytes.data(), bytes.size(), 0);
      if (got <= 0 || !Peer(ends[1 - i].fd, nullptr)
                           .Send({bytes.data(), static_cast<size_t>(got)})) {
        return;
      }
    }
  }
}

void Peer::Reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

TestServer::TestServer(Script script, std::optional<ServerTls> tls, bool ipv6)
    : script_(std::move(script)), ipv6_(ipv6), context_(nullptr, SSL_CTX_free) {
  std::signal(SIGPIPE, SIG_IGN);
  if (tls) {
    context_ = MakeContext(*tls);
    SSL_CTX_set_tlsext_servername_callback(context_.get(), OnServerName);
    SSL_CTX_set_tlsext_servername_arg(context_.get(), this);
  }
  UniqueFd fd(
      ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  port_ = fd.has_value() ? Bind(fd.get(), ipv6) : -1;
  if (port_ <= 0) return;
  listener_ = std::move(fd);
  accepting_ = std::jthread([this] { Accept(); });
}

TestServer::~TestServer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  if (listener_.has_value()) ::shutdown(listener_.get(), SHUT_RDWR);
  if (accepting_.joinable()) accepting_.join();
  peers_.clear();
}

std::string TestServer::Url() const {
  return std::string(context_ ? "https" : "http") + "://" +
         (ipv6_ ? "[::1]:" : "127.0.0.1:") + std::to_string(port_);
}

std::vector<std::string> TestServer::ServerNames() const {
  const std::lock_guard lock(mutex_);
  return server_names_;
}

void TestServer::Accept() {
  while (true) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    // What a script has sent is on its way when the script goes on.
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    const std::lock_guard lock(mutex_);
    if (ending_) {
      ::close(fd);
      return;
    }
    open_.push_back(fd);
    peers_.emplace_back([this, fd] { Serve(fd); });
  }
}

void TestServer::Serve(int fd) {
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(
      context_ ? SSL_new(context_.get()) : nullptr, SSL_free);
  bool ready = true;
  if (ssl) {
    SSL_set_fd(ssl.get(), fd);
    ready = SSL_accept(ssl.get()) == 1;
  }
  if (ready) {
    Peer peer(fd, ssl.get());
    script_(peer);
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, fd);
  ::close(fd);
}

int TestServer::OnServerName(SSL* ssl, int*, void* self) {
  auto* server = static_cast<TestServer*>(self);
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const std::lock_guard lock(server->mutex_);
  server->server_names_.emplace_back(name == nullptr ? "" : name);
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace kem
