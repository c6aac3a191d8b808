#include "web/http_router.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/rfc3339.h"
#include "base/utf8.h"

namespace kem {
namespace {

// config/option_table.cc keeps the telemetry path apart from all others.
constexpr char kReloadPath[] = "/-/reload";
// Of one decoded segment of a path; a name of Kubernetes has at most 253 bytes.
constexpr size_t kMaxSegment = 1024;
constexpr char kOtherHandler[] = "other";
constexpr char kText[] = "text/plain; charset=utf-8";

const char* ReasonPhrase(int status) {
  static constexpr std::pair<int, const char*> kPhrases[] = {
      {200, "OK"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {413, "Content Too Large"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {503, "Service Unavailable"}};
  for (const auto& [code, phrase] : kPhrases) {
    if (code == status) return phrase;
  }
  return "Internal Server Error";
}

// True for a request that another site's page makes a browser send. Other
// programs send neither header; the rule is Go's http.CrossOriginProtection.
bool IsCrossSite(const RequestHead& head) {
  if (!head.fetch_site.empty()) {
    return head.fetch_site != "same-origin" && head.fetch_site != "none";
  }
  const size_t host = head.origin.find("://");
  return !head.origin.empty() && (host == std::string::npos ||
                                  head.origin.substr(host + 3) != head.host);
}

bool IsSafeSegment(const std::string& segment) {
  std::string buffer;
  return !segment.empty() && segment.size() <= kMaxSegment && segment != "." &&
         segment != ".." &&
         std::none_of(segment.begin(), segment.end(),
                      [](char c) { return c == '/' || IsAsciiControl(c); }) &&
         ValidUtf8(segment, buffer).data() == segment.data();
}

// The decoded segments of "Node/n1"; empty when one of them is not safe.
std::optional<std::vector<std::string>> Segments(std::string_view path) {
  std::vector<std::string> segments;
  // Of a path that ends with a slash, the last segment is empty.
  const bool open = path.ends_with('/');
  while (!path.empty()) {
    std::optional<std::string> segment = PercentDecode(TakeUntil(path, '/'));
    if (!segment || !IsSafeSegment(*segment)) return std::nullopt;
    segments.push_back(std::move(*segment));
  }
  if (open) return std::nullopt;
  return segments;
}

void AddHeader(const std::string& name, const std::string& value,
               std::string& out) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

ScrapeBody::ScrapeBody(std::function<bool(std::string&)> next, bool gzip,
                       bool chunks)
    : next_(std::move(next)),
      gzip_(gzip ? std::make_unique<GzipStream>() : nullptr),
      chunks_(chunks) {}

bool ScrapeBody::Next(std::string& out) {
  const size_t before = out.size();
  bool more = true;
  // Compression may buffer a whole piece.
  while (more && out.size() == before) {
    plain_.clear();
    more = next_(plain_);
    std::string* piece = &plain_;
    if (gzip_) {
      packed_.clear();
      gzip_->Append(plain_, !more, packed_);
      piece = &packed_;
    }
    if (!chunks_) {
      out += *piece;
    } else if (!piece->empty()) {
      std::array<char, 16> digits;
      const auto end = std::to_chars(
          digits.data(), digits.data() + digits.size(), piece->size(), 16);
      out.append(digits.data(), end.ptr).append("\r\n");
      out.append(*piece).append("\r\n");
    }
  }
  if (!more && chunks_) out += "0\r\n\r\n";
  return more;
}

struct HttpRouter::Response {
  int status = 200;
  std::string content_type = kText;
  std::string body = {};
  WebGate::Headers headers = {};
  // In place of `body`.
  std::unique_ptr<ScrapeBody> stream = nullptr;

  static Response Of(const Health& health, int failed) {
    return {health.ok ? 200 : failed, kText, health.text};
  }
  // The whole head, and the body unless the method is HEAD.
  std::string Text(const RequestHead& head,
                   const WebGate::Headers& defaults) const;
};

std::string HttpRouter::Response::Text(const RequestHead& head,
                                       const WebGate::Headers& defaults) const {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " " +
                     ReasonPhrase(status) + "\r\n";
  AddHeader("Date", FormatHttpDate(RealClock().WallNow()), text);
  for (const auto& [name, value] : defaults) AddHeader(name, value, text);
  for (const auto& header : headers) {
    // The web configuration wins.
    if (std::none_of(defaults.begin(), defaults.end(), [&](const auto& set) {
          return set.first == header.first;
        })) {
      AddHeader(header.first, header.second, text);
    }
  }
  AddHeader("Content-Type", content_type, text);
  if (!head.keep_alive) AddHeader("Connection", "close", text);
  if (!stream) {
    AddHeader("Content-Length", std::to_string(body.size()), text);
  } else if (head.chunks) {
    AddHeader("Transfer-Encoding", "chunked", text);
  }
  text += "\r\n";
  return head.method == "HEAD" ? text : text + body;
}

HttpRouter::Response HttpRouter::StartScrape(const RequestHead& head) const {
  if (content_.can_scrape) {
    if (Health health = content_.can_scrape(); !health.ok) {
      return {503, kText, std::move(health.text), {{"Retry-After", "1"}}};
    }
  }
  const bool gzip = WantsGzip(head.accept_encoding);
  Scrape scrape = content_.scrape(head.accept);
  Response response{.content_type = std::move(scrape.content_type),
                    .headers = {{"Vary", "Accept, Accept-Encoding"}}};
  if (gzip) response.headers.emplace_back("Content-Encoding", "gzip");
  response.stream =
      std::make_unique<ScrapeBody>(std::move(scrape.next), gzip, head.chunks);
  return response;
}

const HttpRoute* HttpRouter::FindRoute(const std::string& path) const {
  for (const HttpRoute& route : content_.routes) {
    const bool below = route.path.size() > 1 && route.path.ends_with('/');
    if (below ? path.starts_with(route.path) : path == route.path) {
      return &route;
    }
  }
  return nullptr;
}

bool HttpRouter::IsQuery(const RequestHead& head) const {
  if (head.method != "GET" && head.method != "HEAD") return false;
  const HttpRoute* route = FindRoute(head.path);
  return route != nullptr &&
         Segments(std::string_view(head.path).substr(route->path.size()));
}

HttpAnswer HttpRouter::Query(const RequestHead& head,
                             const WebGate::Headers& headers,
                             const std::stop_token& stop) const {
  return Finish(head, headers, [&] {
    const HttpRoute& route = *FindRoute(head.path);
    RouteAnswer made = route.answer(
        {*Segments(std::string_view(head.path).substr(route.path.size())),
         head.query, head.accept},
        stop);
    // The <meta> of a page has the rest of its policy; frame-ancestors is only
    // valid in a header.
    Response response{
        .status = made.status,
        .content_type = std::move(made.content_type),
        .body = std::move(made.body),
        .headers = {{"Vary", "Accept, Accept-Encoding"},
                    {"Cache-Control", "no-store"},
                    {"Content-Security-Policy", "frame-ancestors 'none'"},
                    {"X-Content-Type-Options", "nosniff"}}};
    if (made.status == 503) response.headers.emplace_back("Retry-After", "1");
    if (WantsGzip(head.accept_encoding)) {
      std::string packed;
      GzipStream().Append(response.body, true, packed);
      response.body = std::move(packed);
      response.headers.emplace_back("Content-Encoding", "gzip");
    }
    return response;
  });
}

bool HttpRouter::IsReadable(const std::string& path) const {
  return path == telemetry_path_ || path == "/livez" || path == "/readyz";
}

HttpRouter::Response HttpRouter::Route(const RequestHead& head) const {
  const std::string& path = head.path;
  const bool reloads = path == kReloadPath && content_.reload;
  const bool reads =
      IsReadable(path) || path == "*" || FindRoute(path) != nullptr;
  if (!reads && !reloads) return {404, kText, "Not found\n"};
  if (reloads && head.method == "POST") {
    if (IsCrossSite(head)) {
      return {403, kText, "Reload is not allowed from another site's page\n"};
    }
    const Result<std::string> reloaded = content_.reload();
    const bool ok = reloaded.has_value();
    return Response::Of(
        {ok, (ok ? *reloaded : reloaded.error().message) + "\n"}, 500);
  }
  if (!reads || (head.method != "GET" && head.method != "HEAD")) {
    return {405,
            kText,
            "Method not allowed\n",
            {{"Allow", reads ? "GET, HEAD" : "POST"}}};
  }
  if (path == telemetry_path_) return StartScrape(head);
  if (path == "/livez") return Response::Of(content_.livez(), 503);
  if (path == "/readyz") return Response::Of(content_.readyz(), 503);
  // A route's, with a segment that is not safe.
  return {404, kText, "Not found\n"};
}

HttpRouter::Response HttpRouter::Admit(const RequestHead& head,
                                       Admission admission) const {
  switch (admission) {
    case Admission::kUnauthorized:
      return {401, kText, "Unauthorized\n", {{"WWW-Authenticate", "Basic"}}};
    case Admission::kTooMany:
      return {429, kText, "Too many requests\n"};
    case Admission::kBusy:
      return {503, kText, "Too many requests wait\n", {{"Retry-After", "1"}}};
    case Admission::kAdmitted:
    case Admission::kPending:
      break;
  }
  return Route(head);
}

std::string HttpRouter::HandlerName(const std::string& path) const {
  if (IsReadable(path) || path == kReloadPath) return path;
  const HttpRoute* route = FindRoute(path);
  return route != nullptr ? route->path : kOtherHandler;
}

template <typename Make>
HttpAnswer HttpRouter::Finish(const RequestHead& head,
                              const WebGate::Headers& headers,
                              Make make) const {
  HttpAnswer answer;
  answer.close = !head.keep_alive;
  answer.handler = HandlerName(head.path);
  try {
    Response response = make();
    answer.bytes = response.Text(head, headers);
    if (head.method != "HEAD") answer.body = std::move(response.stream);
    answer.status = response.status;
  } catch (const std::exception&) {
    // There is no memory for an answer.
    answer.status = 500;
    answer.bytes.clear();
    answer.body.reset();
    answer.close = true;
  }
  return answer;
}

HttpAnswer HttpRouter::Handle(const RequestHead& head, Admission admission,
                              const WebGate::Headers& headers) const {
  return Finish(head, headers, [&] { return Admit(head, admission); });
}

HttpAnswer HttpRouter::Refuse(HeadState why) const {
  Response response{400, kText, "This is not HTTP/1.1.\n"};
  if (why == HeadState::kTooLarge) {
    response = {431, kText, "Send less than 8 KiB a line, 16 KiB in all.\n"};
  } else if (why == HeadState::kHasBody) {
    response = {413, kText, "Send no request body.\n"};
  } else if (why == HeadState::kBadHost) {
    response = {400, kText, "Send one valid Host header.\n"};
  } else if (why == HeadState::kPlainHttp) {
    response = {400, kText,
                "This port serves HTTPS. Use https:// in the URL.\n"};
  }
  HttpAnswer answer;
  answer.close = true;
  answer.bytes = response.Text(RequestHead(), {});
  answer.handler = kOtherHandler;
  answer.status = response.status;
  return answer;
}

}  // namespace kem
