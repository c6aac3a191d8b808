// ResponseReader survives any bytes, reads the same responses from them however
// they are cut into packets, and gives no more body than there were bytes.
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/unique_fd.h"
#include "fuzz/fuzzing.h"
#include "net/connection.h"
#include "net/resolver.h"
#include "net/response_reader.h"

namespace kem {
namespace {

// A packet must fit into the buffer of a Connection.
constexpr size_t kMaxBytes = size_t{60} << 10;
// More packets than these may not fit into a socket.
constexpr size_t kMaxPackets = 16;

// A socket from which the bytes come in packets of this size, and then the end.
UniqueFd SocketWith(std::string_view bytes, size_t packet) {
  std::array<int, 2> ends{};
  Require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
                       0, ends.data()) == 0,
          "a pair of sockets");
  UniqueFd here(ends[0]);
  const UniqueFd there(ends[1]);
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, packet);
    Require(::send(there.get(), part.data(), part.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(part.size()),
            "a socket with room");
    bytes.remove_prefix(part.size());
  }
  return here;
}

// The response as text; adds the length of its body to `body`.
std::string ReadOne(Connection& connection, ResponseReader& reader,
                    size_t& body) {
  const std::optional<HttpHead> head = reader.ReadHead();
  if (!head) {
    Require(connection.End() != IoEnd::kOpen, "no head is a failure");
    return connection.Message();
  }
  Require(head->status >= 200 && head->status <= 999, "a final status");
  std::string read = std::to_string(head->status);
  if (head->retry_after) {
    Require(head->retry_after->count() >= 0, "no time before now");
    read += " retry " + std::to_string(head->retry_after->count());
  }
  if (head->date) {
    read += " at " + std::to_string(head->date->time_since_epoch().count());
  }
  if (reader.idle_timeout()) {
    read += " kept " + std::to_string(reader.idle_timeout()->count());
  }
  while (true) {
    Require(!reader.MayReuse(), "no other response inside of this one");
    const std::optional<std::string_view> part = reader.ReadBody();
    if (!part) {
      Require(connection.End() != IoEnd::kOpen, "no body is a failure");
      return read + " cut: " + connection.Message();
    }
    if (part->empty()) return read + " whole";
    body += part->size();
    read += *part;
  }
}

// All responses, as a kept connection has them.
std::string Read(std::string_view bytes, size_t packet) {
  static Resolver resolver;  // the connection is made already
  Connection connection({}, resolver, {});
  connection.Adopt(SocketWith(bytes, packet));
  std::string all;
  size_t body = 0;
  while (true) {
    ResponseReader reader(connection);
    all += ReadOne(connection, reader, body) + "\n";
    Require(body <= bytes.size(), "no more body than bytes");
    if (!reader.MayReuse()) return all;
    Require(connection.End() == IoEnd::kOpen, "a connection to use again");
  }
}

}  // namespace
}  // namespace kem

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kem::kMaxBytes) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = kem::Read(bytes, kem::kMaxBytes);
  for (const size_t packets : {size_t{2}, kem::kMaxPackets}) {
    kem::Require(kem::Read(bytes, size / packets + 1) == whole,
                 "packets do not matter");
  }
  return 0;
}
