#include "reflector/api_lister_watcher.h"

#include <utility>

namespace kem {
namespace {

// Keeps the head and, unless the status is 200, the beginning of the body.
class AnswerHandler : public HttpHandler {
 public:
  bool OnHead(const HttpHead& head) override {
    head_ = head;
    if (head_.status == 200) OnAccepted();
    return true;
  }
  bool OnBody(std::string_view bytes) override {
    if (head_.status == 200) return OnAcceptedBody(bytes);
    refusal_.append(bytes.substr(0, kMaxStatusBody - refusal_.size()));
    return refusal_.size() < kMaxStatusBody;
  }

  const HttpHead& head() const { return head_; }
  const std::string& refusal() const { return refusal_; }

 protected:
  virtual void OnAccepted() {}
  virtual bool OnAcceptedBody(std::string_view bytes) = 0;

 private:
  HttpHead head_;
  std::string refusal_;
};

class PageHandler : public AnswerHandler {
 public:
  PageHandler(std::string& body, size_t max_page)
      : body_(body), max_page_(max_page) {}

  bool too_large() const { return too_large_; }

 protected:
  bool OnAcceptedBody(std::string_view bytes) override {
    too_large_ = bytes.size() > max_page_ - body_.size();
    if (!too_large_) body_.append(bytes);
    return !too_large_;
  }

 private:
  std::string& body_;
  const size_t max_page_;
  bool too_large_ = false;
};

class StreamHandler : public AnswerHandler {
 public:
  explicit StreamHandler(WatchHandler& handler) : handler_(handler) {}

 protected:
  void OnAccepted() override { handler_.OnOpen(); }
  bool OnAcceptedBody(std::string_view bytes) override {
    return handler_.OnBytes(bytes);
  }

 private:
  WatchHandler& handler_;
};

// The failure of a request that was stopped, rejected or not answered.
Failure Explain(std::string_view what, const HttpOutcome& outcome,
                const AnswerHandler& answer) {
  if (outcome.end == HttpEnd::kStopped) {
    return {{ErrorCode::kCancelled, "stopped"}, 0, {}};
  }
  if (answer.head().status != 0) {
    return ToFailure(what, answer.head().status, answer.head().retry_after,
                     answer.refusal());
  }
  std::string message = std::string(what) + " got no response";
  if (!outcome.message.empty()) message += ": " + outcome.message;
  return {{ErrorCode::kUnavailable, std::move(message)}, 0, {}};
}

WatchOutcome::End ToWatchEnd(HttpEnd end) {
  switch (end) {
    case HttpEnd::kComplete:
      return WatchOutcome::End::kComplete;
    case HttpEnd::kTimeout:
      return WatchOutcome::End::kTimeout;
    case HttpEnd::kAborted:
      return WatchOutcome::End::kAborted;
    case HttpEnd::kStopped:
      return WatchOutcome::End::kStopped;
    case HttpEnd::kTruncated:
    case HttpEnd::kUnreachable:
      break;
  }
  return WatchOutcome::End::kTruncated;
}

}  // namespace

ApiListerWatcher::ApiListerWatcher(HttpTransport& transport, std::string path,
                                   size_t max_page)
    : transport_(transport), path_(std::move(path)), max_page_(max_page) {}

std::optional<Failure> ApiListerWatcher::List(const ListOptions& options,
                                              std::chrono::milliseconds timeout,
                                              ListPage& page,
                                              std::stop_token stop) {
  const std::string what = "The list of " + path_;
  HttpRequest request;
  const std::string query = ToQuery(options);
  request.path = query.empty() ? path_ : path_ + "?" + query;
  request.read_timeout = request.deadline = timeout;

  page.body.clear();
  PageHandler handler(page.body, max_page_);
  const HttpOutcome outcome =
      transport_.Send(request, handler, std::move(stop));
  if (outcome.end == HttpEnd::kStopped || handler.head().status != 200) {
    return Explain(what, outcome, handler);
  }
  const auto fail = [&what](ErrorCode code, const std::string& why) {
    return Failure{{code, what + why}, 200, {}};
  };
  if (handler.too_large()) {
    return fail(ErrorCode::kTooLarge, " has a page of more than " +
                                          std::to_string(max_page_) + " bytes");
  }
  if (outcome.end != HttpEnd::kComplete) {
    return fail(ErrorCode::kUnavailable, " was cut off: " + outcome.message);
  }
  page.server_time = handler.head().date;
  const Result<void> parsed = ParseListPage(page);
  if (!parsed) return fail(parsed.error().code, ": " + parsed.error().message);
  return {};
}

WatchOutcome ApiListerWatcher::Watch(const WatchOptions& options,
                                     WatchHandler& handler,
                                     std::stop_token stop) {
  HttpRequest request;
  request.path = path_ + "?" + ToQuery(options);
  request.read_timeout = request.deadline = options.timeout + kReadMargin;

  StreamHandler stream(handler);
  const HttpOutcome outcome = transport_.Send(request, stream, std::move(stop));
  if (stream.head().status == 200) return {ToWatchEnd(outcome.end), {}};
  if (outcome.end == HttpEnd::kStopped) {
    return {WatchOutcome::End::kStopped, {}};
  }
  return {WatchOutcome::End::kFailed,
          Explain("The watch of " + path_, outcome, stream)};
}

}  // namespace kem
