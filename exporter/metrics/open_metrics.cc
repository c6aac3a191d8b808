#include "metrics/open_metrics.h"

#include <prometheus/client_metric.h>

#include <array>
#include <charconv>

#include "series/text_style.h"

namespace kem {
namespace {

using prometheus::ClientMetric;

// In fixed notation, without the locale. A bucket's bound needs a fraction to
// be canonical ("1.0").
void AppendNumber(double value, bool with_fraction, std::string& out) {
  std::array<char, 400> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                 value, std::chars_format::fixed)
                       .ptr;
  const std::string_view text(digits.data(),
                              static_cast<size_t>(end - digits.data()));
  out.append(text);
  if (with_fraction && text.find('.') == std::string_view::npos) out += ".0";
}

class Lines {
 public:
  Lines(std::string_view base, const std::vector<ClientMetric::Label>& labels,
        std::string& out)
      : base_(base), labels_(labels), out_(out) {}

  // Up to the value. `bound` is a bucket's, with quotes.
  void Begin(std::string_view suffix, std::string_view bound = "") {
    out_.append(base_).append(suffix);
    if (labels_.empty() && bound.empty()) {
      out_ += ' ';
      return;
    }
    char before = '{';
    for (const ClientMetric::Label& label : labels_) {
      out_ += before;
      out_.append(label.name).append("=\"");
      for (const char c : label.value) {
        if (c == '"' || c == '\\') out_ += '\\';
        out_ += c == '\n' ? ' ' : c;
      }
      out_ += '"';
      before = ',';
    }
    if (!bound.empty()) (out_ += before).append("le=").append(bound);
    out_.append("} ");
  }
  void Number(std::string_view suffix, double value) {
    Begin(suffix);
    AppendNumber(value, false, out_);
    out_ += '\n';
  }
  void Bucket(std::string_view bound, uint64_t count) {
    Begin("_bucket", bound);
    AppendInteger(count, out_);
    out_ += '\n';
  }
  void Created(const WallTime* created) {
    if (created == nullptr) return;
    Begin("_created");
    AppendTimestamp(*created, out_);
    out_ += '\n';
  }

 private:
  const std::string_view base_;
  const std::vector<ClientMetric::Label>& labels_;
  std::string& out_;
};

void AppendHistogram(const ClientMetric::Histogram& histogram, Lines& lines) {
  for (const ClientMetric::Bucket& bucket : histogram.bucket) {
    std::string bound(1, '"');
    AppendNumber(bucket.upper_bound, true, bound);
    bound += '"';
    lines.Bucket(bound, bucket.cumulative_count);
  }
  lines.Bucket("\"+Inf\"", histogram.sample_count);
  lines.Number("_count", static_cast<double>(histogram.sample_count));
  lines.Number("_sum", histogram.sample_sum);
}

}  // namespace

void AppendOpenMetrics(const FamilyInfo& info,
                       const std::vector<ClientMetric>& samples,
                       const WallTime* created, std::string& out) {
  for (const ClientMetric& sample : samples) {
    Lines lines(BaseName(info), sample.label, out);
    if (info.type == "counter") {
      lines.Number("_total", sample.counter.value);
      lines.Created(created);
    } else if (info.type == "histogram") {
      AppendHistogram(sample.histogram, lines);
      lines.Created(created);
    } else {
      lines.Number("", sample.gauge.value);
    }
  }
}

}  // namespace kem
