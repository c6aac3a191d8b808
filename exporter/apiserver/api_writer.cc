#include "apiserver/api_writer.h"

#include "apiserver/api_status.h"

namespace kem {
namespace {

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

// Whether a policy rejected the object, as opposed to a missing permission.
// Admission webhooks and policies choose the status of a denial, even 401 or
// 403, but not this text (k8s.io/apiserver v0.37.2
// pkg/admission/plugin/webhook/errors/statuserror.go:29,
// pkg/admission/plugin/policy/validating/dispatcher.go:305).
bool IsDenial(int status, std::string_view body) {
  return (status == 401 || status == 403) &&
         (body.find(" denied the request") != std::string_view::npos ||
          body.find(" denied request: ") != std::string_view::npos);
}

}  // namespace

ApiAnswer SendToApi(HttpTransport& transport, HttpRequest request,
                    const std::stop_token& stop, const ApiLimits& limits) {
  request.read_timeout = request.deadline = limits.deadline;
  WholeAnswer answer(limits.max_body);
  const HttpOutcome outcome = transport.Send(request, answer, stop);
  ApiAnswer result;
  const std::string what = request.method + " " +
                           request.path.substr(0, request.path.find('?')) +
                           ": ";
  if (outcome.end != HttpEnd::kComplete) {
    result.problem = what + outcome.message;
    return result;
  }
  const int status = answer.head().status;
  result.verdict = Judge(status);
  result.body = answer.body();
  if (result.verdict == ApiAnswer::Verdict::kDone) return result;
  const ApiStatus why = ParseStatus(result.body);
  if (IsDenial(status, result.body))
    result.verdict = ApiAnswer::Verdict::kRefused;
  result.problem = what + std::to_string(status) +
                   (why.message.empty() ? "" : " " + why.message);
  result.retry_after = answer.head().retry_after;
  if (!result.retry_after) result.retry_after = why.retry_after;
  return result;
}

}  // namespace kem
