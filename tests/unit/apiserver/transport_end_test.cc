// The outcome of each way a request can end, over plain TCP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "apiserver/api_transport.h"
#include "unit/apiserver/fakes.h"
#include "unit/apiserver/transport_helpers.h"
#include "unit/net/test_server.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(TransportEndTest, TellsATruncatedBodyFromAWholeOneAtEveryByte) {
  const std::string whole =
      kChunkedHead + Chunk("{\"type\":1}\n") + Chunk("x") + "0\r\n\r\n";
  const size_t head = std::string(kChunkedHead).size();
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    TestServer server([&](Peer& peer) {
      peer.ReadHead();
      peer.Send(whole.substr(0, cut));
    });
    RecordingHandler handler;
    const HttpOutcome outcome = Get(server, handler);
    HttpEnd expected = HttpEnd::kTruncated;
    if (cut < head) expected = HttpEnd::kUnreachable;
    if (cut == whole.size()) expected = HttpEnd::kComplete;
    EXPECT_EQ(outcome.end, expected) << "cut at " << cut;
    EXPECT_EQ(outcome.message.empty(), expected == HttpEnd::kComplete);
  }
}

TEST(TransportEndTest, TakesNoChunkWithoutItsEnd) {
  TestServer server([](Peer& peer) {
    peer.ReadHead();
    peer.Send(std::string(kChunkedHead) + "1\r\nxy\r\n");
    peer.WaitForEnd();
  });
  RecordingHandler handler;
  const HttpOutcome outcome = Get(server, handler);
  EXPECT_EQ(outcome.end, HttpEnd::kTruncated);
  EXPECT_EQ(outcome.message, "the response is not valid HTTP/1.1");
}

TEST(TransportEndTest, TellsAShortBodyByItsContentLength) {
  TestServer server([](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
  });
  RecordingHandler handler;
  const HttpOutcome outcome = Get(server, handler);
  EXPECT_EQ(outcome.end, HttpEnd::kTruncated);
  EXPECT_EQ(outcome.message, "the server closed the connection");
  EXPECT_EQ(handler.Body(), "12345");
}

TEST(TransportEndTest, TellsOfAReset) {
  RecordingHandler handler;
  TestServer server([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kChunkedHead + Chunk("one"));
    handler.WaitForBody(3);
    peer.Reset();
  });
  const HttpOutcome outcome = Get(server, handler);
  EXPECT_EQ(outcome.end, HttpEnd::kTruncated);
  EXPECT_EQ(outcome.message, "Connection reset by peer");
}

TEST(TransportEndTest, TellsSilenceFromTruncation) {
  TestServer server([](Peer& peer) {
    peer.ReadHead();
    peer.Send(kChunkedHead + Chunk("one"));
    peer.WaitForEnd();
  });
  RecordingHandler handler;
  HttpRequest request;
  request.path = "/x";
  request.read_timeout = milliseconds(60);
  const HttpOutcome outcome = Get(server, handler, request);
  EXPECT_EQ(outcome.end, HttpEnd::kTimeout);
  EXPECT_EQ(outcome.message, "reading: no progress for 60 ms");
}

TEST(TransportEndTest, CountsSilenceBeforeTheHeadAsTimeout) {
  TestServer server([](Peer& peer) { peer.WaitForEnd(); });
  RecordingHandler handler;
  HttpRequest request;
  request.path = "/x";
  request.read_timeout = milliseconds(60);
  EXPECT_EQ(Get(server, handler, request).end, HttpEnd::kTimeout);
  EXPECT_TRUE(handler.heads.empty());
}

TEST(TransportEndTest, EndsATrickleAtItsDeadline) {
  TestServer server([](Peer& peer) {
    peer.ReadHead();
    peer.Send(kChunkedHead);
    while (peer.Send(Chunk("x"))) {
    }
  });
  RecordingHandler handler;
  HttpRequest request;
  request.path = "/x";
  request.deadline = milliseconds(100);
  const HttpOutcome outcome = Get(server, handler, request);
  EXPECT_EQ(outcome.end, HttpEnd::kTimeout);
  EXPECT_EQ(outcome.message, "reading: timed out after 100 ms");
}

TEST(TransportEndTest, EndsAHeadWithoutEnd) {
  const struct {
    const char* begin;
    const char* endless;
    const char* message;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\n", "X: y\r\n", "the response head is over 256 KiB"},
      {"HTTP/1.1 200 OK\r\n", "y", "the response has a line over 8 KiB"},
      {"HTTP/1.1 200 ", "y", "the response has a line over 8 KiB"},
  };
  for (const auto& c : cases) {
    TestServer server([&](Peer& peer) {
      peer.ReadHead();
      peer.Send(c.begin);
      while (peer.Send(c.endless)) {
      }
    });
    RecordingHandler handler;
    const HttpOutcome outcome = Get(server, handler);
    EXPECT_EQ(outcome.end, HttpEnd::kUnreachable);
    EXPECT_EQ(outcome.message, c.message);
  }
}

TEST(TransportEndTest, TakesLinesUpToTheLimit) {
  TestServer server([](Peer& peer) {
    peer.ReadHead();
    const std::string long_text(8000, 'y');
    peer.Send("HTTP/1.1 200 " + long_text + "\r\nX: " + long_text +
              "\r\nContent-Length: 0\r\n\r\n");
  });
  RecordingHandler handler;
  const HttpOutcome outcome = Get(server, handler);
  EXPECT_EQ(outcome.end, HttpEnd::kComplete) << outcome.message;
}

TEST(TransportEndTest, TellsWhatIsNoHttp) {
  const char* const two_encodings =
      "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n"
      "Transfer-Encoding: chunked\r\n";
  for (const char* head :
       {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200\r\n", "HTTP/1.1 20\r\n",
        "HTTP/1.1 2000\r\n", "HTTP/1.1 -20\r\n", "HTTP/1.1 099 x\r\n",
        "HTTP/1.1 200\r\nContent-Length: -1\r\n",
        "HTTP/1.1 200\r\nContent-Length: 99999999999999999999\r\n",
        "HTTP/1.1 200\r\nTransfer-Encoding: gzip\r\n",
        "HTTP/1.1 200\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        two_encodings, "HTTP/1.1 200\r\nContent-Length : 5\r\n",
        "HTTP/1.1 200\r\nno colon\r\n", "HTTP/1.1 200\r\n: x\r\n"}) {
    TestServer server([&](Peer& peer) {
      peer.ReadHead();
      peer.Send(head);
      peer.WaitForEnd();
    });
    RecordingHandler handler;
    const HttpOutcome outcome = Get(server, handler);
    EXPECT_EQ(outcome.end, HttpEnd::kUnreachable) << head;
    EXPECT_EQ(outcome.message, "the response is not valid HTTP/1.1") << head;
  }
}

TEST(TransportEndTest, TellsOfInvalidChunkSizes) {
  for (const char* size : {"", "x", "-1", "0x1", "1 1", "11111111111111111"}) {
    TestServer server([&](Peer& peer) {
      peer.ReadHead();
      peer.Send(kChunkedHead + std::string(size) + "\r\n");
      peer.WaitForEnd();
    });
    RecordingHandler handler;
    const HttpOutcome outcome = Get(server, handler);
    EXPECT_EQ(outcome.end, HttpEnd::kTruncated) << size;
    EXPECT_EQ(outcome.message, "the response is not valid HTTP/1.1") << size;
  }
}

TEST(TransportEndTest, TellsWhyItCannotConnect) {
  std::string url;
  {
    const TestServer gone([](Peer&) {});
    url = gone.Url();
  }
  RecordingHandler handler;
  const HttpOutcome outcome =
      ApiTransport(AccessTo(url), TestResolver()).Send({"/x"}, handler, {});
  EXPECT_EQ(outcome.end, HttpEnd::kUnreachable);
  EXPECT_EQ(outcome.message,
            "cannot connect to " + url.substr(7) + ": Connection refused");
}

TEST(TransportEndTest, TellsThatANameIsUnknown) {
  RecordingHandler handler;
  const HttpOutcome outcome =
      ApiTransport(AccessTo("http://a..b:1"), TestResolver())
          .Send({"/x"}, handler, {});
  EXPECT_EQ(outcome.end, HttpEnd::kUnreachable);
  EXPECT_THAT(outcome.message, HasSubstr("cannot look up a..b: "));
}

TEST(TransportEndTest, TakesABodyThatEndsWithTheConnection) {
  TestServer server([](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.0 200 OK\r\n\r\nall of it");
  });
  RecordingHandler handler;
  EXPECT_EQ(Get(server, handler).end, HttpEnd::kComplete);
  EXPECT_EQ(handler.Body(), "all of it");
}

TEST(TransportEndTest, EndsWhenTheHandlerHasEnough) {
  const auto endless = [](Peer& peer) {
    peer.ReadHead();
    peer.Send(kChunkedHead);
    while (peer.Send(Chunk("x"))) {
    }
  };
  TestServer server(endless);
  RecordingHandler no_head;
  no_head.accept_head = false;
  EXPECT_EQ(Get(server, no_head).end, HttpEnd::kAborted);
  EXPECT_EQ(no_head.Body(), "");
  RecordingHandler some_body;
  some_body.on_body = [](const std::string& body) { return body.size() < 3; };
  EXPECT_EQ(Get(server, some_body).end, HttpEnd::kAborted);
  EXPECT_EQ(some_body.Body(), "xxx");
}

TEST(TransportEndTest, KeepsAnExceptionOfTheHandlerIn) {
  TestServer server([](Peer& peer) {
    peer.ReadHead();
    peer.Send(kChunkedHead + Chunk("x"));
    peer.WaitForEnd();
  });
  RecordingHandler handler;
  handler.on_body = [](const std::string&) -> bool {
    throw std::runtime_error("out of ideas");
  };
  const HttpOutcome outcome = Get(server, handler);
  EXPECT_EQ(outcome.end, HttpEnd::kAborted);
  EXPECT_THAT(outcome.message, HasSubstr("out of ideas"));
}

}  // namespace
}  // namespace kem
