#include "series/label_text.h"

#include <algorithm>

namespace kem {
namespace {

// No UTF-8 text contains it.
constexpr char kSeparator = '\xff';
// Replaces NUL, at which Prometheus' text parser stops.
constexpr char kForNul = '?';

void AppendKey(std::string_view value, std::string& out) {
  const size_t at = out.size();
  out.append(CutLabel(value));
  // As in LabelText, or two keys could give one text.
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(at), out.end(), '\0',
               kForNul);
  out += kSeparator;
}

void AppendLabel(std::string_view name, std::string_view value,
                 std::string& out) {
  if (!out.empty()) out += ',';
  out.append(name).append("=\"");
  for (const char c : CutLabel(value)) {
    switch (c) {
      case '\\':
        out.append("\\\\");
        break;
      case '"':
        out.append("\\\"");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\0':
        out += kForNul;
        break;
      default:
        out += c;
    }
  }
  out += '"';
}

}  // namespace

void ExemplarText(std::string_view event_namespace, std::string_view event_name,
                  std::string& out) {
  constexpr std::string_view kNamespace = "namespace";
  constexpr std::string_view kName = "name";
  constexpr size_t kMost = 128 - kNamespace.size() - kName.size();
  constexpr size_t kMostNamespace = 63;  // RFC 1123
  event_namespace = CutUtf8(event_namespace, kMostNamespace);
  out.clear();
  AppendLabel(kNamespace, event_namespace, out);
  AppendLabel(kName, CutUtf8(event_name, kMost - event_namespace.size()), out);
}

SeriesLabels OverflowOf(const SeriesLabels& labels, Who who) {
  SeriesLabels overflow;
  overflow.scope = labels.scope;
  overflow.type = labels.type;
  overflow.api_group = kOverflowLabel;
  overflow.kind = kOverflowLabel;
  overflow.reason = kOverflowLabel;
  overflow.reporting_component = kOverflowLabel;
  (who == Who::kTuple ? overflow.object_namespace : overflow.object_name) =
      kOverflowLabel;
  return overflow;
}

bool IsOverflow(const SeriesLabels& labels, Who who) {
  return labels.reason == kOverflowLabel && labels.kind == kOverflowLabel &&
         labels.api_group == kOverflowLabel &&
         labels.reporting_component == kOverflowLabel &&
         (who == Who::kTuple ? labels.object_namespace : labels.object_name) ==
             kOverflowLabel;
}

void LabelKey(const SeriesLabels& labels, Who who, std::string& out) {
  out.clear();
  out += labels.scope == Scope::kCluster ? 'c' : 'n';
  for (const std::string_view value :
       {labels.api_group, labels.kind,
        who == Who::kTuple ? labels.object_namespace : labels.object_name,
        labels.reason, labels.type, labels.reporting_component}) {
    AppendKey(value, out);
  }
}

size_t LabelText(const SeriesLabels& labels, Who who, std::string& out) {
  out.clear();
  AppendLabel("scope",
              labels.scope == Scope::kCluster ? "cluster" : "namespaced", out);
  AppendLabel("api_group", labels.api_group, out);
  AppendLabel("kind", labels.kind, out);
  size_t split = out.size();
  if (who == Who::kTuple) {
    AppendLabel("object_namespace", labels.object_namespace, out);
    split = out.size();
  } else {
    AppendLabel("object_name", labels.object_name, out);
  }
  AppendLabel("reason", labels.reason, out);
  AppendLabel("type", labels.type, out);
  AppendLabel("reporting_component", labels.reporting_component, out);
  return split;
}

}  // namespace kem
