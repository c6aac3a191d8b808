#include "sinks/otlp_sink.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/gzip_stream.h"
#include "base/safe_text.h"
#include "base/utf8.h"
#include "net/header_line.h"

namespace kem {
namespace {

// A collector may report each record that it rejects.
constexpr size_t kMaxAnswer = size_t{1} << 20;
constexpr std::chrono::seconds kTimeout{10};
constexpr size_t kLoggedBytes = 200;  // of an answer

// The collector will never accept this request.
bool IsFinal(int status) {
  return status == 400 || status == 413 || status == 415 || status == 422;
}

// Proxies return 413. The collector decompresses first and returns 400 with the
// text of net/http's MaxBytesError.
bool IsTooLarge(int status, std::string_view body) {
  return status == 413 ||
         (status == 400 &&
          body.find("request body too large") != std::string_view::npos);
}

// Text of an answer, for the log.
std::string Shown(std::string_view text) {
  return OneLine(CutUtf8(text, kLoggedBytes));
}

// Partial success: the rest is stored, and what is rejected must not be sent
// again (docs/specification.md).
Delivery Accepted(const OtlpAnswer& answer, size_t records) {
  const auto rejected =
      static_cast<size_t>(std::min<uint64_t>(answer.rejected, records));
  if (rejected == 0) return {.done = records};
  return {
      .done = records,
      .refused = rejected,
      .refusal =
          "records that the collector rejected: " + std::to_string(rejected) +
          (answer.message.empty() ? "" : ", ") + Shown(answer.message)};
}

// Headers that the transport or this sink sets; a second one would change the
// request or make it invalid.
bool IsReserved(std::string_view name) {
  constexpr std::string_view kReserved[] = {"accept",
                                            "accept-encoding",
                                            "connection",
                                            "content-encoding",
                                            "content-length",
                                            "content-type",
                                            "expect",
                                            "host",
                                            "te",
                                            "trailer",
                                            "transfer-encoding",
                                            "upgrade"};
  return std::find(std::begin(kReserved), std::end(kReserved),
                   AsciiLower(name)) != std::end(kReserved);
}

}  // namespace

Result<HeaderFields> ParseHeaderFile(std::string_view text) {
  HeaderFields fields;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = Trim(TakeUntil(text, '\n'), " \t\r");
    if (line.empty() || line.front() == '#') continue;
    const std::optional<HeaderLine> header = SplitHeaderLine(line);
    const bool usable =
        header && !header->value.empty() &&
        std::all_of(header->value.begin(), header->value.end(),
                    [](char c) { return c == ' ' || IsVisibleAscii(c); });
    if (!usable) {
      return InvalidConfig(
          "line " + std::to_string(number) +
          " must be a header, such as \"X-Scope-OrgID: team\"");
    }
    fields.emplace_back(header->name, header->value);
    if (IsReserved(fields.back().first)) {
      return InvalidConfig("line " + std::to_string(number) + " must not set " +
                           fields.back().first + ", which the exporter sets");
    }
  }
  return fields;
}

OtlpSink::OtlpSink(std::unique_ptr<HttpTransport> transport, Headers headers,
                   const Format& format, FileReader read)
    : transport_(std::move(transport)),
      headers_(std::move(headers)),
      gzip_(format.gzip),
      encoder_(MakeOtlpEncoder(format.encoding, format.constants)),
      read_(std::move(read)) {}

Result<void> OtlpSink::AddHeaders(HttpRequest& request) const {
  if (headers_.file.empty()) return {};
  const auto refuse = [this](const std::string& why) {
    return InvalidConfig(headers_.file + " " + why);
  };
  const Result<std::optional<std::string>> text = read_(headers_.file);
  if (!text) return text.error();
  if (!text->has_value()) return refuse("does not exist");
  Result<HeaderFields> fields = ParseHeaderFile(**text);
  if (!fields) return refuse(fields.error().message);
  for (const auto& [name, value] : *fields) {
    if (!headers_.confidential && AsciiLower(name) == "authorization") {
      return refuse(
          "sets Authorization, which plain HTTP would expose; use an https:// "
          "endpoint");
    }
  }
  request.headers = std::move(*fields);
  return {};
}

Delivery OtlpSink::Deliver(std::span<const Occurrence> batch,
                           const std::stop_token& stop) {
  HttpRequest request;
  request.path = "/v1/logs";
  request.read_timeout = request.deadline = kTimeout;
  const Result<void> added = AddHeaders(request);
  if (!added) return {.rest = Delivery::Failure{added.error().message}};
  request.content_type = request.accept = encoder_->content_type();
  std::string body = OtlpRequest(*encoder_, batch);
  if (gzip_) {
    request.headers.emplace_back("Content-Encoding", "gzip");
    GzipStream().Append(body, true, request.body);
  } else {
    request.body = std::move(body);
  }
  WholeAnswer answer(kMaxAnswer);
  const HttpOutcome outcome = transport_->Send(request, answer, stop);
  if (outcome.end != HttpEnd::kComplete) {
    return {.rest = Delivery::Failure{outcome.message}};
  }
  const int status = answer.head().status;
  const bool success = status / 100 == 2;
  const OtlpAnswer read = encoder_->Read(answer.body(), success);
  if (success) {
    max_batch_ = std::min(max_batch_ + 1, kMaxBatch);
    return Accepted(read, batch.size());
  }
  if (IsTooLarge(status, answer.body()) && batch.size() > 1) {
    max_batch_ = batch.size() / 2;
    return {.rest = Delivery::Hold{std::chrono::milliseconds(0)}};
  }
  std::string problem =
      "the collector returned " + std::to_string(status) + " " +
      Shown(read.message.empty() ? answer.body() : read.message);
  if (IsFinal(status)) {
    return {.done = batch.size(),
            .refused = batch.size(),
            .refusal = std::move(problem)};
  }
  return {.rest =
              Delivery::Failure{std::move(problem), answer.head().retry_after}};
}

}  // namespace kem
