// Shared by transport_*_test.cc: an anonymous access to a test server, one
// plain request, chunked bodies. Tests of other layers use a fake transport
// instead, testing/scripted_transport.h.
#pragma once

#include <ios>
#include <sstream>
#include <string>
#include <utility>

#include "apiserver/api_transport.h"
#include "unit/apiserver/fakes.h"
#include "unit/net/test_server.h"

namespace kem {

inline ServerAccess AccessTo(const std::string& url) {
  ServerAccess access;
  access.origin = "test";
  access.server = *ParseServerUrl(url, false);
  return access;
}

inline HttpOutcome Get(const TestServer& server, HttpHandler& handler,
                       HttpRequest request = {}) {
  if (request.path.empty()) request.path = "/x";
  return ApiTransport(AccessTo(server.Url()), TestResolver())
      .Send(request, handler, {});
}

inline constexpr char kChunkedHead[] =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

inline std::string Chunk(const std::string& bytes) {
  std::ostringstream chunk;
  chunk << std::hex << bytes.size() << "\r\n" << bytes << "\r\n";
  return std::move(chunk).str();
}

}  // namespace kem
