// A server on a loopback port that runs a test's script on each connection,
// plain or with TLS. Used by the tests of the transport. It sends raw bytes:
// the script has to write valid HTTP.
#pragma once

#include <openssl/ssl.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "unit/net/certificates.h"

namespace kem {

// One accepted connection, on its own thread. Reads and writes end when the
// server is destroyed.
class Peer {
 public:
  Peer(int fd, SSL* ssl) : fd_(fd), ssl_(ssl) {}

  // The request line and headers up to the empty line, or until the end.
  std::string ReadHead();
  // The next 1 to `most` bytes; empty at the end.
  std::string ReadBytes(size_t most);
  // The next byte; empty at the end.
  std::string ReadByte();
  // False once the client has closed.
  bool Send(std::string_view bytes);
  // Reads until the client closes.
  void WaitForEnd();
  // Closes the own direction of the connection, of TLS without close_notify.
  void HalfClose();
  // Of TLS: bytes beside the session, its close_notify, a new key.
  bool SendUnencrypted(std::string_view bytes);
  void SendCloseNotify();
  void UpdateKey();
  // Connects to this loopback port and passes bytes on in both directions until
  // one side closes: a tunnel. Plain connections only.
  void RelayTo(int port);
  // Resets the connection instead of closing it.
  void Reset();

 private:
  int ReadSome(char* bytes, int size);

  int fd_;
  SSL* ssl_;
};

struct ServerTls {
  PemPair identity;
  std::string client_ca;  // when given, clients must have a certificate
};

class TestServer {
 public:
  using Script = std::function<void(Peer&)>;

  // Listens on the IPv4 loopback address, or with `ipv6` on that of IPv6.
  explicit TestServer(Script script, std::optional<ServerTls> tls = {},
                      bool ipv6 = false);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  bool Listening() const { return listener_.has_value(); }
  int Port() const { return port_; }
  std::string Url() const;

  // The names that TLS clients requested (SNI), in order.
  std::vector<std::string> ServerNames() const;

 private:
  void Accept();
  void Serve(int fd);
  static int OnServerName(SSL* ssl, int* alert, void* self);

  const Script script_;
  const bool ipv6_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  UniqueFd listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  bool ending_ = false;
  std::vector<int> open_;
  std::vector<std::string> server_names_;
  std::vector<std::jthread> peers_;
  std::jthread accepting_;
};

// A one-shot event between threads.
class Signal {
 public:
  void Set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

}  // namespace kem
