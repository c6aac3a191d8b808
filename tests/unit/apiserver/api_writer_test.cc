// The requests to the API server, and the verdicts on its responses.
#include "apiserver/api_writer.h"

#include <gmock/gmock.h>

#include "testing/scripted_transport.h"

namespace kem {
namespace {

using std::chrono::seconds;
using Verdict = ApiAnswer::Verdict;

class ApiWriterTest : public ::testing::Test {
 protected:
  ApiAnswer Send(ScriptedAnswer answer) {
    transport.answers.push_back(std::move(answer));
    return SendToApi(transport,
                     {.path = "/api/v1/nodes/a?force=true",
                      .body = "{}",
                      .method = "PATCH",
                      .content_type = "text/x"},
                     stop.get_token());
  }

  ScriptedTransport transport;
  std::stop_source stop;
};

TEST_F(ApiWriterTest, SendsOneRequest) {
  const ApiAnswer answer = Send({{201, {}, {}}, {"{\"a\":", "1}"}});
  EXPECT_EQ(answer.verdict, Verdict::kDone);
  EXPECT_EQ(answer.problem, "");
  EXPECT_EQ(answer.body, "{\"a\":1}");
  ASSERT_EQ(transport.requests.size(), 1U);
  const HttpRequest& request = transport.requests.front();
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.path, "/api/v1/nodes/a?force=true");
  EXPECT_EQ(request.content_type, "text/x");
  EXPECT_EQ(request.body, "{}");
  EXPECT_EQ(request.read_timeout, seconds(10));
  EXPECT_EQ(request.deadline, seconds(10));
}

TEST_F(ApiWriterTest, JudgesByTheStatus) {
  const std::pair<int, Verdict> all[] = {
      {200, Verdict::kDone},      {201, Verdict::kDone},
      {400, Verdict::kRefused},   {413, Verdict::kRefused},
      {415, Verdict::kRefused},   {422, Verdict::kRefused},
      {403, Verdict::kForbidden}, {404, Verdict::kNotFound},
      {409, Verdict::kConflict},  {301, Verdict::kTryAgain},
      {401, Verdict::kTryAgain},  {405, Verdict::kTryAgain},
      {408, Verdict::kTryAgain},  {410, Verdict::kTryAgain},
      {429, Verdict::kTryAgain},  {500, Verdict::kTryAgain},
      {503, Verdict::kTryAgain},  {504, Verdict::kTryAgain}};
  for (const auto& [status, verdict] : all) {
    EXPECT_EQ(Send({{status, {}, {}}}).verdict, verdict) << status;
  }
}

TEST_F(ApiWriterTest, APolicysVerdictIsFinalWhateverItsStatus) {
  const char* const denials[] = {
      R"(nodes \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding )"
      R"('b' denied request: not this one)",
      R"(admission webhook \"w.example.com\" denied the request: not this one)"};
  for (const char* const denial : denials) {
    const std::string body = std::string(R"({"message":")") + denial + "\"}";
    for (const int status : {401, 403}) {
      const ApiAnswer answer = Send({{status, {}, {}}, {body}});
      EXPECT_EQ(answer.verdict, Verdict::kRefused) << status << denial;
    }
    EXPECT_EQ(Send({{503, {}, {}}, {body}}).verdict, Verdict::kTryAgain);
  }
}

TEST_F(ApiWriterTest, TellsWhatTheApiServerSays) {
  EXPECT_EQ(
      Send({{403, {}, {}},
            {R"({"kind":"Status","code":403,"message":"no right\nat all"})"}})
          .problem,
      "PATCH /api/v1/nodes/a: 403 no right");
  EXPECT_EQ(Send({{500, {}, {}}}).problem, "PATCH /api/v1/nodes/a: 500");
}

TEST_F(ApiWriterTest, WaitsAsLongAsHeaderOrBodySay) {
  const std::string body =
      R"({"kind":"Status","code":429,"details":{"retryAfterSeconds":7}})";
  EXPECT_EQ(Send({{429, {}, {}}, {body}}).retry_after, seconds(7));
  EXPECT_EQ(Send({{429, seconds(3), {}}, {body}}).retry_after, seconds(3));
  EXPECT_EQ(Send({{500, {}, {}}}).retry_after, std::nullopt);
}

TEST_F(ApiWriterTest, AnAnswerThatIsCutOrNeverComesIsTriedAgain) {
  for (const HttpEnd end :
       {HttpEnd::kTruncated, HttpEnd::kTimeout, HttpEnd::kUnreachable}) {
    const ApiAnswer answer = Send({{200, {}, {}}, {"{"}, end, "why"});
    EXPECT_EQ(answer.verdict, Verdict::kTryAgain);
    EXPECT_EQ(answer.problem, "PATCH /api/v1/nodes/a: why");
  }
  stop.request_stop();
  EXPECT_EQ(Send({}).problem, "PATCH /api/v1/nodes/a: stopped");
}

TEST_F(ApiWriterTest, ALongAnswerIsReadToItsEndAndCut) {
  const std::string piece(40 << 10, 'x');
  const ApiAnswer answer = Send({{200, {}, {}}, {piece, piece, piece}});
  EXPECT_EQ(answer.verdict, Verdict::kDone);
  EXPECT_EQ(answer.body.size(), size_t{64} << 10);
}

}  // namespace
}  // namespace kem
