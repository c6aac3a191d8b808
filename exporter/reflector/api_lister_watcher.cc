#include "reflector/api_lister_watcher.h"

#include <simdjson.h>

#include <utility>

#include "apiserver/api_status.h"
#include "apiserver/resource_version.h"
#include "base/ascii.h"
#include "base/json_padding.h"
#include "base/safe_text.h"

namespace kem {
namespace {

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

using simdjson::error_code;
using simdjson::SUCCESS;
namespace ondemand = simdjson::ondemand;

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
    if (!too_large_) {
      Grow(body_.size() + bytes.size());
      body_.append(bytes);
    }
    return !too_large_;
  }

 private:
  // The string doubles its capacity. From these sizes it reaches exactly what
  // the largest page needs, whatever the pieces are, and not twice as much.
  void Grow(size_t size) {
    if (size <= body_.capacity()) return;
    size_t capacity = max_page_ + kJsonPadding;
    while (capacity / 2 >= size) capacity /= 2;
    body_.reserve(capacity);
  }

  std::string& body_;
  const size_t max_page_;
  bool too_large_ = false;
};

class StreamHandler : public AnswerHandler {
 public:
  explicit StreamHandler(WatchHandler& handler) : handler_(handler) {}

 protected:
  void OnAccepted() override { handler_.OnOpen(head().date); }
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

Error Malformed(std::string_view why) {
  return {ErrorCode::kMalformed, "not a list: " + std::string(why)};
}

Error Malformed(error_code why) {
  return Malformed(simdjson::error_message(why));
}

// A string that Go may omit or write as null.
error_code ReadString(ondemand::value value, std::string_view& text) {
  ondemand::json_type type{};
  if (const error_code e = value.type().get(type)) return e;
  if (type == ondemand::json_type::null) return SUCCESS;
  return value.get_string().get(text);
}

error_code ReadMetadata(ondemand::value value, ListPage& page) {
  ondemand::object metadata;
  if (const error_code e = value.get_object().get(metadata)) return e;
  for (auto member : metadata) {
    ondemand::field field;
    if (const error_code e = std::move(member).get(field)) return e;
    std::string_view key;
    if (const error_code e = field.unescaped_key().get(key)) return e;
    std::string_view text;
    if (key == "resourceVersion") {
      if (const error_code e = ReadString(field.value(), text)) return e;
      page.resource_version = ParseResourceVersion(text).value_or(0);
    } else if (key == "continue") {
      if (const error_code e = ReadString(field.value(), text)) return e;
      page.continue_token = text;
    }
  }
  return SUCCESS;
}

error_code ReadItems(ondemand::value value, ListPage& page) {
  ondemand::json_type type{};
  if (const error_code e = value.type().get(type)) return e;
  if (type == ondemand::json_type::null) return SUCCESS;  // Go's nil slice
  ondemand::array items;
  if (const error_code e = value.get_array().get(items)) return e;
  for (auto element : items) {
    ondemand::object item;
    if (const error_code e = element.get_object().get(item)) return e;
    std::string_view raw;
    if (const error_code e = item.raw_json().get(raw)) return e;
    page.items.push_back(raw);
  }
  return SUCCESS;
}

// A proxy may answer 200 with a login page or a Status. A person needs its
// words.
std::string WhyNoList(std::string_view body, const Error& problem) {
  const std::string answer = WhatAnswered(body);
  return answer.empty() ? ": " + problem.message
                        : " returned no list, but " + answer;
}

}  // namespace

Result<void> ParseListPage(ListPage& page) {
  page.resource_version = 0;
  page.continue_token.clear();
  page.items.clear();
  page.body.reserve(page.body.size() + kJsonPadding);

  ondemand::parser parser;
  ondemand::document document;
  const size_t size = page.body.size();
  if (const error_code e =
          parser.iterate(page.body.data(), size, size + kJsonPadding)
              .get(document)) {
    return Malformed(e);
  }
  ondemand::object root;
  if (const error_code e = document.get_object().get(root)) return Malformed(e);
  bool has_metadata = false;
  bool has_items = false;
  for (auto member : root) {
    ondemand::field field;
    if (const error_code e = std::move(member).get(field)) return Malformed(e);
    std::string_view key;
    if (const error_code e = field.unescaped_key().get(key))
      return Malformed(e);
    error_code e = SUCCESS;
    if (key == "kind") {
      std::string_view kind;
      e = ReadString(field.value(), kind);
      // The items of another list could pass for Events.
      if (!kind.empty() && kind != "EventList" && kind != "List") {
        return Malformed("its kind is " + OneLine(kind));
      }
    } else if (key == "metadata") {
      e = ReadMetadata(field.value(), page);
      has_metadata = true;
    } else if (key == "items") {
      e = ReadItems(field.value(), page);
      has_items = true;
    }
    if (e) return Malformed(e);
  }
  if (!has_metadata || !has_items) return Malformed("no metadata or no items");
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return Malformed("bytes after its end");
  }
  return {};
}

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
  if (!parsed) {
    return fail(parsed.error().code, WhyNoList(page.body, parsed.error()));
  }
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
