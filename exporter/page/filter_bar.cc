#include "page/filter_bar.h"

#include <algorithm>

#include "page/page_text.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

struct TextField {
  const char* name;
  const char* label;
  std::string PageFilter::*value;
  const char* hint = "";
};
constexpr TextField kTexts[] = {
    {"kind", "Kind", &PageFilter::kind},
    {"name", "Object", &PageFilter::name},
    {"namespace", "Namespace", &PageFilter::object_namespace},
    {"reason", "Reason", &PageFilter::reason},
    {"component", "Reported by", &PageFilter::component},
    {"q", "Words of the message", &PageFilter::words}};

void PutText(const TextField& field, const PageFilter& filter,
             std::string& out) {
  Put(out,
      {"<label>", field.label, "<input name=\"", field.name, "\" value=\"",
       EscapeHtml(filter.*field.value), "\" placeholder=\"", field.hint, "\""});
  out +=
      " autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" "
      "maxlength=\"512\"></label>\n";
}

class Choice {
 public:
  Choice(const char* label, const char* name, const std::string& value,
         std::string& out)
      : value_(value), out_(out) {
    Put(out_, {"<label>", label, "<select name=\"", name, "\">"});
    Option("", "Any");
  }
  void Option(const char* value, const char* text) {
    const bool chosen = value_ == value;
    found_ |= chosen;
    Put(out_, {"<option value=\"", value, "\"", chosen ? " selected" : "", ">",
               text, "</option>"});
  }
  // Also a value that only a link has.
  void End() {
    if (!found_) {
      const std::string value = EscapeHtml(value_);
      Put(out_,
          {"<option value=\"", value, "\" selected>", value, "</option>"});
    }
    out_ += "</select></label>\n";
  }

 private:
  const std::string& value_;
  std::string& out_;
  bool found_ = false;
};

}  // namespace

std::vector<PageRange> KnownRanges(const PageData& data) {
  std::vector<PageRange> ranges = {{"15m", minutes(15)}, {"1h", hours(1)},
                                   {"6h", hours(6)},     {"24h", hours(24)},
                                   {"7d", hours(168)},   {"14d", hours(336)}};
  const auto longer =
      std::find_if(ranges.begin(), ranges.end(), [&](const PageRange& range) {
        return data.now - range.length <= data.known_since;
      });
  if (longer != ranges.end()) ranges.erase(longer + 1, ranges.end());
  return ranges;
}

void PutFilterBar(const PageData& data, const PageFilter& filter,
                  std::string& out) {
  out +=
      "<form class=\"bar\" method=\"get\" action=\"./\" role=\"search\" "
      "aria-label=\"Events\">\n";
  for (const TextField& field : kTexts) PutText(field, filter, out);
  Choice type("Type", "type", filter.type, out);
  type.Option("Warning", "Warning");
  type.Option("Normal", "Normal");
  type.End();
  Choice since("Since", "since", filter.since, out);
  for (const PageRange& range : KnownRanges(data)) {
    since.Option(range.text, range.text);
  }
  since.End();
  PutText({"until", "Until", &PageFilter::until, "2006-01-02T15:04:05Z"},
          filter, out);
  out += "<span><button>Filter</button>";
  if (filter != PageFilter()) out += " <a href=\"./\">Clear</a>";
  out += "</span>\n</form>\n";
}

}  // namespace kem
