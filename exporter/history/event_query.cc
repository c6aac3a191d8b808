#include "history/event_query.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/duration.h"
#include "base/encoding.h"
#include "base/rfc3339.h"
#include "base/safe_text.h"
#include "base/utf8.h"

namespace kem {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kClusterScoped[] = "-";
// Of a parameter in a sentence.
constexpr size_t kMaxShown = 64;
// Later than any time in seconds that is meant: the year 5138.
constexpr int64_t kLeastMilliseconds = 100'000'000'000;
constexpr int64_t kMostMilliseconds = 253'402'300'799'999;  // the year 9999

struct TextParameter {
  const char* name;
  std::string EventQuery::*field;
};
constexpr TextParameter kTexts[] = {
    {"kind", &EventQuery::kind},           {"name", &EventQuery::name},
    {"reason", &EventQuery::reason},       {"type", &EventQuery::type},
    {"component", &EventQuery::component}, {"cursor", &EventQuery::cursor}};

Error Rejected(std::string message) {
  return Error{ErrorCode::kRejected, std::move(message)};
}

std::string Shown(std::string_view text) {
  const bool cut = text.size() > kMaxShown;
  return Quoted(OneLine(CutUtf8(text, kMaxShown)) + (cut ? "…" : ""));
}

// The encoding of forms: a '+' is a space.
std::optional<std::string> Decode(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return PercentDecode(spaced);
}

// "1764589939", "1764589939.781" and 1764589939781 milliseconds; empty for
// anything else.
std::optional<WallTime> ParseUnix(std::string_view text) {
  std::string_view fraction = text;
  const std::string_view whole = TakeUntil(fraction, '.');
  if (!std::all_of(whole.begin(), whole.end(), IsAsciiDigit) ||
      !std::all_of(fraction.begin(), fraction.end(), IsAsciiDigit)) {
    return std::nullopt;
  }
  const auto number = ParseNumber<int64_t>(whole);
  if (!number || *number > kMostMilliseconds) return std::nullopt;
  if (*number >= kLeastMilliseconds) return WallTime(milliseconds(*number));
  std::string micros(fraction.substr(0, 6));
  micros.resize(6, '0');
  return WallTime(seconds(*number) +
                  microseconds(ParseNumber<int64_t>(micros).value_or(0)));
}

std::optional<WallTime> ParseTime(std::string value, WallTime now) {
  // An offset's '+' that was not encoded.
  std::replace(value.begin(), value.end(), ' ', '+');
  if (const auto time = ParseRfc3339(value)) return time;
  if (const auto time = ParseUnix(value)) return time;
  const auto ago = ParseNanoseconds(value);
  if (!ago) return std::nullopt;
  return now - std::chrono::floor<microseconds>(*ago);
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::string_view word = TakeUntil(text, ' ');
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

// `value` is not empty. False for an unknown name.
Result<bool> TakeParameter(const std::string& name, std::string value,
                           WallTime now, EventQuery& query) {
  for (const TextParameter& text : kTexts) {
    if (name == text.name) {
      query.*text.field = std::move(value);
      return true;
    }
  }
  if (name == "namespace") {
    query.object_namespace = value == kClusterScoped ? "" : value;
  } else if (name == "q") {
    query.words = Words(value);
    if (query.words.size() > kMaxQueryWords) {
      return Rejected("q must have at most " + std::to_string(kMaxQueryWords) +
                      " words");
    }
  } else if (name == "since" || name == "until") {
    auto& time = name == "since" ? query.since : query.until;
    time = ParseTime(value, now);
    if (!time) {
      return Rejected(name +
                      " must be a time such as 2026-11-23T12:53:29Z, a "
                      "duration such as 2h or 14d, or Unix seconds, not " +
                      Shown(value));
    }
  } else if (name == "limit") {
    const auto limit = ParseNumber<size_t>(value);
    if (!limit || *limit == 0 || *limit > EventQuery::kMaxLimit) {
      return Rejected("limit must be a number from 1 to " +
                      std::to_string(EventQuery::kMaxLimit) + ", not " +
                      Shown(value));
    }
    query.limit = *limit;
  } else {
    return false;
  }
  return true;
}

Result<void> CheckValue(const std::string& name, const std::string& value) {
  const size_t limit = name == "cursor" ? kMaxQueryCursor : kMaxQueryValue;
  if (value.size() > limit) {
    return Rejected(name + " must have at most " + std::to_string(limit) +
                    " bytes");
  }
  std::string buffer;
  if (std::any_of(value.begin(), value.end(), IsAsciiControl) ||
      ValidUtf8(value, buffer).data() != value.data()) {
    return Rejected(name + " must be UTF-8 text without control characters");
  }
  return {};
}

void Put(std::string_view name, std::string_view value, std::string& out) {
  if (!out.empty()) out += '&';
  out.append(name).append("=").append(PercentEncode(value));
}

}  // namespace

Result<EventQuery> ParseEventQuery(std::string_view url_query, WallTime now) {
  EventQuery query;
  std::vector<std::string> seen;
  while (!url_query.empty()) {
    std::string_view pair = TakeUntil(url_query, '&');
    const std::string_view raw_name = TakeUntil(pair, '=');
    std::optional<std::string> name = Decode(raw_name);
    std::optional<std::string> value = Decode(pair);
    if (!name || !value) {
      return Rejected("the query has a % without two hexadecimal digits in " +
                      Shown(raw_name) + "; encode it as %25");
    }
    if (value->empty()) continue;
    Result<bool> known = TakeParameter(*name, *value, now, query);
    if (known && !*known) continue;
    if (Result<void> checked = CheckValue(*name, *value); !checked) {
      return checked.error();
    }
    if (!known) return known.error();
    if (std::find(seen.begin(), seen.end(), *name) != seen.end()) {
      return Rejected(*name + " must be given once");
    }
    seen.push_back(std::move(*name));
  }
  if (query.since && query.until && *query.since >= *query.until) {
    return Rejected("since must be before until");
  }
  return query;
}

std::string UrlParameter(std::string_view url_query, std::string_view name) {
  while (!url_query.empty()) {
    std::string_view pair = TakeUntil(url_query, '&');
    if (Decode(TakeUntil(pair, '=')) == name) return Decode(pair).value_or("");
  }
  return "";
}

std::string ToUrlQuery(const EventQuery& query) {
  std::string out;
  for (const TextParameter& text : kTexts) {
    const std::string& value = query.*text.field;
    if (!value.empty()) Put(text.name, value, out);
  }
  if (query.object_namespace) {
    Put("namespace",
        query.object_namespace->empty() ? kClusterScoped
                                        : *query.object_namespace,
        out);
  }
  if (!query.words.empty()) {
    std::string words;
    for (const std::string& word : query.words) {
      if (!words.empty()) words += ' ';
      words += word;
    }
    Put("q", words, out);
  }
  if (query.since) Put("since", FormatRfc3339Micros(*query.since), out);
  if (query.until) Put("until", FormatRfc3339Micros(*query.until), out);
  if (query.limit != EventQuery().limit) {
    Put("limit", std::to_string(query.limit), out);
  }
  return out;
}

}  // namespace kem
