#include "apiserver/api_status.h"

#include <gtest/gtest.h>

namespace kem {
namespace {

using std::chrono::seconds;

TEST(ApiStatusTest, ReadsAStatus) {
  const ApiStatus status = ParseStatus(
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
      R"("message":"The provided continue parameter is too old",)"
      R"("reason":"Expired","details":{"retryAfterSeconds":3},"code":410})");
  EXPECT_TRUE(status.is_status);
  EXPECT_EQ(status.code, 410);
  EXPECT_EQ(status.reason, "Expired");
  EXPECT_EQ(status.message, "The provided continue parameter is too old");
  EXPECT_EQ(status.retry_after, seconds(3));
  EXPECT_FALSE(status.resource_version_too_large);
}

TEST(ApiStatusTest, KnowsAVersionFromTheFuture) {
  EXPECT_TRUE(ParseStatus(R"({"code":504,"details":{"causes":[{"reason":)"
                          R"("ResourceVersionTooLarge"}]}})")
                  .resource_version_too_large);
  EXPECT_TRUE(ParseStatus(R"({"message":"Too large resource version: 9"})")
                  .resource_version_too_large);
}

TEST(ApiStatusTest, TakesPlainTextAsTheMessage) {
  const ApiStatus status =
      ParseStatus("\nToo many requests, please try again later.\nmore\n");
  EXPECT_EQ(status.message, "Too many requests, please try again later.");
  EXPECT_EQ(status.code, 0);
  EXPECT_EQ(status.reason, "");
}

TEST(ApiStatusTest, TakesNothingOfWhatMakesNoSense) {
  for (const char* body :
       {"", "{}", "[]", "null", "7", "{", "\xff\xfe", "[[[[[[[[[[",
        R"({"code":"410","reason":7,"message":null,"details":[]})",
        R"({"code":-1,"details":{"retryAfterSeconds":-5,"causes":7}})",
        R"({"code":99999999999999999999,"details":"x"})",
        R"({"code":1e300,"details":{"retryAfterSeconds":1e9}})",
        R"({"code":18446744073709551615})",
        R"({"details":{"causes":[7,{},{"reason":7}]}})",
        R"({"details":{"retryAfterSeconds":9223372036854775807}})"}) {
    const ApiStatus status = ParseStatus(body);
    EXPECT_FALSE(status.is_status) << body;
    EXPECT_EQ(status.code, 0) << body;
    EXPECT_EQ(status.reason, "") << body;
    EXPECT_FALSE(status.retry_after) << body;
    EXPECT_FALSE(status.resource_version_too_large) << body;
  }
}

TEST(ApiStatusTest, KeepsTheMessageShortAndOnOneLine) {
  const ApiStatus status =
      ParseStatus(std::string("a\tb\x7f") + std::string(5000, 'x'));
  EXPECT_EQ(status.message.size(), 200u);
  EXPECT_EQ(status.message.substr(0, 5), "a b x");
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "\u00e4";
  const std::string cut = ParseStatus("x" + umlauts).message;
  EXPECT_LE(cut.size(), 200u);
  EXPECT_EQ(cut.size() % 2, 1u);
}

TEST(ApiStatusTest, ShowsWhatHidesOrTurnsText) {
  EXPECT_EQ(ParseStatus("a\u202Eb\u009B\xff").message,
            "a[U+202E]b[U+009B]\uFFFD");
  std::string turns;
  for (int i = 0; i < 100; ++i) turns += "\u202E";
  const std::string cut = ParseStatus(turns).message;
  EXPECT_EQ(cut.size(), 200U);
  EXPECT_EQ(cut.substr(192), "[U+202E]");
}

TEST(StatusTextTest, HasTheWordsOfTheServer) {
  EXPECT_EQ(StatusText(410, "Expired", "too old\nresource version"),
            "410 Expired: too old resource version");
  EXPECT_EQ(StatusText(403, "", "no"), "403: no");
  EXPECT_EQ(StatusText(0, "Gone", ""), "Gone");
  EXPECT_EQ(StatusText(0, "", "no\u202E"), "no[U+202E]");
  EXPECT_EQ(StatusText(0, "", ""), "");
}

TEST(WhatCameTest, QuotesTheFirstWords) {
  EXPECT_EQ(WhatCame("\n <!DOCTYPE html>\r\n<html>"), "\"<!DOCTYPE html>\"");
  EXPECT_EQ(WhatCame(std::string(100, 'x')), '"' + std::string(80, 'x') + '"');
  EXPECT_EQ(WhatCame("\x1F\x8B\x08 and so on"), "gzip data");
  EXPECT_EQ(WhatCame("\u009B\xff"), "\"[U+009B]\uFFFD\"");
  EXPECT_EQ(WhatCame(" \n"), "nothing");
}

TEST(WhatAnsweredTest, SaysWhoMayHaveAnswered) {
  EXPECT_EQ(WhatAnswered("\n<!DOCTYPE html>\n<html>"),
            "\"<!DOCTYPE html>\": this is HTML, so a login page or a proxy "
            "answers instead of the API server; check the server address");
  EXPECT_EQ(WhatAnswered("no"), "\"no\"");
  EXPECT_EQ(WhatAnswered(R"({"kind":"Status","code":403,"message":"no"})"),
            "a Status: 403: no");
  EXPECT_EQ(WhatAnswered(R"( {"kind":"PodList"})"), "");
}

struct CodeCase {
  int http_status;
  std::string body;
  ErrorCode code;
};

class ErrorCodeTest : public ::testing::TestWithParam<CodeCase> {};

TEST_P(ErrorCodeTest, NamesTheAction) {
  EXPECT_EQ(ToErrorCode(GetParam().http_status, ParseStatus(GetParam().body)),
            GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(
    All, ErrorCodeTest,
    ::testing::Values(
        CodeCase{410, "", ErrorCode::kExpired},
        CodeCase{400, R"({"reason":"Expired"})", ErrorCode::kExpired},
        CodeCase{500, R"({"reason":"Gone"})", ErrorCode::kExpired},
        CodeCase{504, R"({"message":"Too large resource version"})",
                 ErrorCode::kExpired},
        CodeCase{504, "", ErrorCode::kUnavailable},
        CodeCase{500, R"({"message":"Too large resource version"})",
                 ErrorCode::kUnavailable},
        CodeCase{401, "", ErrorCode::kUnauthorized},
        CodeCase{403, "", ErrorCode::kForbidden},
        CodeCase{404, "404 page not found", ErrorCode::kNotFound},
        CodeCase{429, "Too many requests", ErrorCode::kThrottled},
        CodeCase{400, "", ErrorCode::kRejected},
        CodeCase{422, "", ErrorCode::kRejected},
        CodeCase{406, "", ErrorCode::kRejected},
        CodeCase{408, "", ErrorCode::kUnavailable},
        CodeCase{500, "", ErrorCode::kUnavailable},
        CodeCase{503, "", ErrorCode::kUnavailable},
        CodeCase{302, "", ErrorCode::kUnavailable},
        CodeCase{204, "", ErrorCode::kUnavailable}));

TEST(FailureTest, PrefersTheHeaderOverTheBody) {
  const char* body = R"({"details":{"retryAfterSeconds":3}})";
  EXPECT_EQ(ToFailure("It", 429, seconds(1), body).retry_after, seconds(1));
  EXPECT_EQ(ToFailure("It", 429, {}, body).retry_after, seconds(3));
  EXPECT_EQ(ToFailure("It", 429, {}, "").retry_after, std::nullopt);
}

TEST(FailureTest, IsOneSentence) {
  EXPECT_EQ(ToFailure("The list of /x", 403, {}, "no\nway").error.message,
            "The list of /x failed with status 403: no");
  EXPECT_EQ(ToFailure("The list of /x", 403, {}, "").error.message,
            "The list of /x failed with status 403");
}

TEST(FailureTest, ReadsNoMoreThanItMust) {
  const std::string body = std::string(5000, ' ') + R"({"reason":"Expired"})";
  EXPECT_EQ(ToFailure("It", 500, {}, body).error.code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace kem
