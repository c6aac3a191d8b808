#include "apiserver/api_writer.h"

#include "apiserver/api_status.h"
#include "net/whole_answer.h"

namespace kem {
namespace {

constexpr std::chrono::seconds kPatience{10};

ApiAnswer::Verdict Judge(int status) {
  using enum ApiAnswer::Verdict;
  switch (status) {
    case 403:
      return kForbidden;
    case 404:
      return kNotFound;
    case 409:
      return kConflict;
    case 400:
    case 413:
    case 415:
    case 422:
      return kRefused;
    default:
      return status / 100 == 2 ? kDone : kTryAgain;
  }
}

// Whether it was no right that was missing, but a policy that judged the
// object. Admission webhooks and policies choose the status of a denial, 401
// and 403 too, but not these words (k8s.io/apiserver v0.37.2
// pkg/admission/plugin/webhook/errors/statuserror.go:29,
// pkg/admission/plugin/policy/validating/dispatcher.go:305).
bool IsDenial(int status, std::string_view body) {
  return (status == 401 || status == 403) &&
         (body.find(" denied the request") != std::string_view::npos ||
          body.find(" denied request: ") != std::string_view::npos);
}

}  // namespace

ApiAnswer SendToApi(HttpTransport& transport, const ApiWrite& write,
                    const std::stop_token& stop) {
  HttpRequest request;
  request.method = write.method;
  request.path = write.path;
  request.accept = write.accept;
  request.content_type = write.content_type;
  request.body = write.body;
  request.read_timeout = request.deadline = kPatience;
  WholeAnswer answer;
  const HttpOutcome outcome = transport.Send(request, answer, stop);
  ApiAnswer told;
  const std::string what =
      write.method + " " + write.path.substr(0, write.path.find('?')) + ": ";
  if (outcome.end != HttpEnd::kComplete) {
    told.problem = what + outcome.message;
    return told;
  }
  const int status = answer.head().status;
  told.verdict = Judge(status);
  told.body = answer.body();
  if (told.verdict == ApiAnswer::Verdict::kDone) return told;
  const ApiStatus why = ParseStatus(told.body);
  if (IsDenial(status, told.body)) told.verdict = ApiAnswer::Verdict::kRefused;
  told.problem = what + std::to_string(status) +
                 (why.message.empty() ? "" : " " + why.message);
  told.retry_after = answer.head().retry_after;
  if (!told.retry_after) told.retry_after = why.retry_after;
  return told;
}

std::string PathPart(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string part;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                       c == '_' || c == '~';
    if (plain) {
      part += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    part += '%';
    part += kDigits[byte >> 4];
    part += kDigits[byte & 15];
  }
  return part;
}

}  // namespace kem
