// A TCP client of raw bytes for tests of the HTTP server. Each wait ends after
// kPatience; nothing sleeps. Sends a TLS record only as raw bytes, and parses
// no answer.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace kem {

class RawClient {
 public:
  // `address` is HttpServer's. A client with a small `receive_buffer` (bytes)
  // soon accepts no more.
  explicit RawClient(const std::string& address, int receive_buffer = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                   sizeof(receive_buffer));
    }
    const size_t colon = address.rfind(':');
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port =
        htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
    ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &peer.sin_addr);
    connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&peer),
                           sizeof(peer)) == 0;
  }

  bool connected() const { return connected_; }
  int fd() const { return fd_.get(); }

  // False when the server has closed the connection.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent =
          ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  void EndSending() { ::shutdown(fd_.get(), SHUT_WR); }

  // Reads until `end`, or until the server closes or resets the connection.
  // After kPatience returns what was read and a mark.
  std::string Read(std::string_view end = {}) {
    std::string text;
    std::array<char, 65536> buffer;
    size_t seen = 0;
    while (end.empty() || text.find(end, seen) == std::string::npos) {
      seen = text.size() - std::min(text.size(), end.size());
      pollfd readable{fd_.get(), POLLIN, 0};
      if (::poll(&readable, 1, kPatience) <= 0) return text + "<no more comes>";
      const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      text.append(buffer.data(), static_cast<size_t>(got));
    }
    return text;
  }

  // The whole answer to one request on a new connection.
  static std::string Get(const std::string& address, const std::string& path) {
    RawClient client(address);
    client.Send("GET " + path +
                " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    return client.Read();
  }

 private:
  static constexpr int kPatience = 20000;  // milliseconds

  UniqueFd fd_;
  bool connected_ = false;
};

}  // namespace kem
