// The address of a client: as text for the log, and as the group whose clients
// share turns and limits. Used by web/http_loop.cc for each connection.
// Resolves no names.
#pragma once

#include <sys/socket.h>

#include <string>

namespace kem {

struct ClientAddress {
  // One IPv4 address, or one IPv6 network of 64 bits, as that is what one
  // client has. Not readable.
  std::string group;
  std::string text;  // "10.0.0.1:40000"
};

// `from` is an address of accept(2). An IPv4 client of an IPv6 socket is an
// IPv4 client. Empty for other families. Thread-safe.
ClientAddress MakeClientAddress(const sockaddr_storage& from);

}  // namespace kem
