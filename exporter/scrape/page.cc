#include "scrape/page.h"

#include "version.h"

namespace kem {

std::string RenderPage(const std::string& telemetry_path) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
         "<meta charset=\"utf-8\">\n<title>kube-event-metrics</title>\n"
         "<style>body{font-family:sans-serif;margin:2rem;"
         "color-scheme:light dark}</style>\n</head>\n<body>\n"
         "<h1>kube-event-metrics</h1>\n"
         "<p>What happened to this cluster, counted from its Events. Version " +
         std::string(kVersion) + ".</p>\n<ul>\n<li><a href=\"" +
         telemetry_path +
         "\">Metrics</a></li>\n"
         "<li><a href=\"/readyz\">Ready?</a></li>\n"
         "<li><a href=\"/livez\">Alive?</a></li>\n</ul>\n</body>\n</html>\n";
}

}  // namespace kem
