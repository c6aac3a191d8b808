#include "web/request_head.h"

#include <gtest/gtest.h>

namespace kem {
namespace {

RequestHead Read(std::string_view bytes) { return ReadRequestHead(bytes, {}); }

HeadState StateOf(std::string_view bytes) { return Read(bytes).state; }

TEST(RequestHeadTest, KeepsTheFieldsThatAreUsed) {
  const std::string request =
      "GET /metrics?x=1 HTTP/1.1\r\nHost: a:1\r\nUser-Agent: x\r\n"
      "ACCEPT:  text/plain \r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n"
      "Origin: http://a:1\r\nSec-Fetch-Site: none\r\nAuthorization: Basic x\r\n"
      "Range: bytes=0-1\r\nExpect: 100-continue\r\n\r\n";
  const RequestHead head = Read(request + "GET / HTTP/1.1\r\n");
  EXPECT_EQ(head.state, HeadState::kComplete);
  EXPECT_EQ(head.size, request.size());
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.path, "/metrics");
  EXPECT_EQ(head.query, "x=1");
  EXPECT_EQ(head.host, "a:1");
  EXPECT_EQ(head.accept, "text/plain,text/html");
  EXPECT_EQ(head.accept_encoding, "gzip");
  EXPECT_EQ(head.origin, "http://a:1");
  EXPECT_EQ(head.fetch_site, "none");
  EXPECT_EQ(head.authorization, "Basic x");
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.chunks);
}

// The path of a request with this target; the state for one that is refused.
std::string PathOf(const std::string& target,
                   const std::string& method = "GET") {
  const RequestHead head =
      Read(method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
  return head.state == HeadState::kComplete ? head.path : "refused";
}

TEST(RequestHeadTest, LeavesQueryAndFragmentOutOfThePath) {
  EXPECT_EQ(PathOf("/a?b?c"), "/a");
  EXPECT_EQ(PathOf("/a#b"), "/a");
  EXPECT_EQ(PathOf("/?/a"), "/");
  EXPECT_EQ(PathOf("//a"), "//a");
}

TEST(RequestHeadTest, KeepsTheQueryWithoutTheFragment) {
  const auto query_of = [](const std::string& target) {
    return Read("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n").query;
  };
  EXPECT_EQ(query_of("/a?b?c"), "b?c");
  EXPECT_EQ(query_of("/a?b=%00&c#d?e"), "b=%00&c");
  EXPECT_EQ(query_of("/a#b?c"), "");
  EXPECT_EQ(query_of("http://b?x=/y"), "x=/y");
  EXPECT_EQ(query_of("/a?"), "");
}

TEST(RequestHeadTest, TakesWholeUrls) {
  EXPECT_EQ(PathOf("http://b/metrics?x=1"), "/metrics");
  EXPECT_EQ(PathOf("HTTPS://b:9953/metrics"), "/metrics");
  EXPECT_EQ(PathOf("http://[::1]:9953"), "/");
  EXPECT_EQ(PathOf("http://b?x=/y"), "/");
  EXPECT_EQ(PathOf("http://b/c://d"), "/c://d");
  EXPECT_EQ(PathOf("*", "OPTIONS"), "*");
  for (const char* target :
       {"http://", "http:///a", "http://:1/a", "http://u@b/a", "http://u:p@b/a",
        "http:/a", "ftp://b/a", "b:443", "a", "*", "://b/a", "http://b\\/a"}) {
    EXPECT_EQ(PathOf(target), "refused") << target;
  }
  // Its host counts, not the header's.
  EXPECT_EQ(Read("GET http://b:1/ HTTP/1.1\r\nHost: a\r\n\r\n").host, "b:1");
}

TEST(RequestHeadTest, RequiresOneValidHost) {
  const auto state = [](const std::string& version, const std::string& lines) {
    return StateOf("GET / HTTP/" + version + "\r\n" + lines + "\r\n");
  };
  for (const char* host : {"a", "a:80", "10.0.0.1:9953", "[fd00::1]:80",
                           "A-b.c_d~e", "", "a%20b", "\t a "}) {
    EXPECT_EQ(state("1.1", "Host: " + std::string(host) + "\r\n"),
              HeadState::kComplete)
        << host;
  }
  for (const char* host : {"a b", "a/b", "u@a", "a,b c", "a\"", "\xc3\xa4",
                           "a?", "a#", "a\\b", "<a>", "a\tb"}) {
    for (const char* version : {"1.0", "1.1"}) {
      EXPECT_EQ(state(version, "Host: " + std::string(host) + "\r\n"),
                HeadState::kBadHost)
          << host;
    }
  }
  EXPECT_EQ(state("1.1", ""), HeadState::kBadHost);
  EXPECT_EQ(state("1.1", "X-Host: a\r\n"), HeadState::kBadHost);
  EXPECT_EQ(state("1.1", "Host: a\r\nhost: a\r\n"), HeadState::kBadHost);
  EXPECT_EQ(state("1.1", "Host:\r\nHost: a\r\n"), HeadState::kBadHost);
  EXPECT_EQ(state("1.0", "Host: a\r\nHost: b\r\n"), HeadState::kBadHost);
  EXPECT_EQ(state("1.0", ""), HeadState::kComplete);
  // A whole URL does not replace it.
  EXPECT_EQ(StateOf("GET http://a/ HTTP/1.1\r\n\r\n"), HeadState::kBadHost);
}

TEST(RequestHeadTest, JoinsTheLinesOfLists) {
  const RequestHead head = Read(
      "GET / HTTP/1.1\r\nHost: a\r\nAccept: a;q=0.1\r\nAccept-Encoding: br\r\n"
      "accept:\r\nACCEPT: b, c\r\nAccept-Encoding: gzip\r\n"
      "Authorization: Basic x\r\nAuthorization: Basic y\r\n\r\n");
  EXPECT_EQ(head.accept, "a;q=0.1,,b, c");
  EXPECT_EQ(head.accept_encoding, "br,gzip");
  EXPECT_EQ(head.authorization, "Basic x");
}

TEST(RequestHeadTest, TakesLaterMinorVersions) {
  const RequestHead head = Read("GET / HTTP/1.9\r\nHost: a\r\n\r\n");
  EXPECT_EQ(head.state, HeadState::kComplete);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.chunks);
}

TEST(RequestHeadTest, WaitsForTheEmptyLine) {
  const std::string request = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t size = 0; size < request.size(); ++size) {
    EXPECT_EQ(StateOf(request.substr(0, size)), HeadState::kIncomplete) << size;
  }
  EXPECT_EQ(StateOf(request), HeadState::kComplete);
  EXPECT_EQ(Read(request).method, "HEAD");
}

TEST(RequestHeadTest, ClosesWhenAskedAndAfterHttp10) {
  EXPECT_FALSE(
      Read("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, Close\r\n\r\n")
          .keep_alive);
  const RequestHead old =
      Read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_FALSE(old.keep_alive);
  EXPECT_FALSE(old.chunks);
}

TEST(RequestHeadTest, RefusesWhatIsNotHttp) {
  for (const std::string_view bytes : {"\r\n",
                                       "\n",
                                       "GET /\r\n",
                                       "GET  HTTP/1.1\r\n",
                                       "GET / HTTP/2.0\r\n",
                                       "GET / HTTP/1.10\r\n",
                                       "GET / HTTP/1.\r\n",
                                       "GET / http/1.1\r\n",
                                       "GET / HTTP/1.x\r\n",
                                       "GET / / HTTP/1.1\r\n",
                                       "G(T / HTTP/1.1\r\n",
                                       "GET x HTTP/1.1\r\n",
                                       "GET / HTTP/1.1\n",
                                       "GET / HTTP/1.1\r\nno colon\r\n",
                                       "GET / HTTP/1.1\r\n: nameless\r\n",
                                       "GET / HTTP/1.1\r\n folded: x\r\n",
                                       "GET / HTTP/1.1\r\na b: x\r\n",
                                       "GET / HTTP/1.1\r\na: x\r y\r\n",
                                       "GET /\x01 HTTP/1.1\r\n",
                                       "\x16\x03\x01\r\n"}) {
    EXPECT_EQ(StateOf(bytes), HeadState::kMalformed) << bytes;
  }
  EXPECT_EQ(StateOf(std::string_view("GET /\0 HTTP/1.1\r\n", 17)),
            HeadState::kMalformed);
}

TEST(RequestHeadTest, RefusesBodies) {
  for (const std::string_view header :
       {"Content-Length: 1", "content-length: 00x", "Content-Length: -0",
        "Transfer-Encoding: chunked", "Content-Length: 0, 5"}) {
    EXPECT_EQ(StateOf("POST / HTTP/1.1\r\n" + std::string(header) +
                      "\r\nHost: a\r\n\r\n"),
              HeadState::kHasBody)
        << header;
  }
  EXPECT_EQ(StateOf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
            HeadState::kComplete);
}

TEST(RequestHeadTest, BoundsLinesAndAllOfThem) {
  const HeadLimits limits{40, 100};
  const std::string line = "GET /" + std::string(24, 'a') + " HTTP/1.0\r\n";
  ASSERT_EQ(line.size(), 40U);
  EXPECT_EQ(ReadRequestHead(line + "\r\n", limits).state, HeadState::kComplete);
  // Before the line's end.
  EXPECT_EQ(ReadRequestHead(std::string(40, 'G'), limits).state,
            HeadState::kIncomplete);
  EXPECT_EQ(ReadRequestHead(std::string(41, 'G'), limits).state,
            HeadState::kTooLarge);
  const std::string header = "a: " + std::string(25, 'b') + "\r\n";
  const std::string full = line + header + header;
  ASSERT_EQ(full.size(), 100U);
  EXPECT_EQ(ReadRequestHead(full, limits).state, HeadState::kIncomplete);
  EXPECT_EQ(ReadRequestHead(full + "\r", limits).state, HeadState::kTooLarge);
}

}  // namespace
}  // namespace kem
