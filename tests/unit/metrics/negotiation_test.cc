#include "metrics/exposition.h"

#include <gtest/gtest.h>

namespace kem {
namespace {

TEST(NegotiationTest, PrometheusGetsOpenMetrics) {
  for (const char* accept :
       {// 2.42
        "application/openmetrics-text;version=1.0.0,application/"
        "openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,"
        "*/*;q=0.1",
        // 3.x
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version="
        "1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,"
        "*/*;q=0.2",
        // 3.x with created timestamps: there is no protobuf
        "application/vnd.google.protobuf;proto=io.prometheus.client."
        "MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;"
        "version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
        "application/openmetrics-text", "application/openmetrics-text,*/*",
        "application/openmetrics-text; version=1.0.0 ; q=0.5",
        "text/plain;q=0.5,application/openmetrics-text",
        "application/openmetrics-text,text/plain",
        "text/plain;q=0.999,application/openmetrics-text;q=1.000"}) {
    EXPECT_TRUE(PrefersOpenMetrics(accept)) << accept;
  }
}

TEST(NegotiationTest, OthersGetTheTextFormat) {
  const char* const text_first =
      "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;"
      "q=0.9";
  for (const char* accept :
       {"", "*/*", "text/plain", text_first,
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "text/plain,application/openmetrics-text",
        "application/openmetrics-text;q=0", "application/openmetrics-text;q=x",
        "application/openmetrics-text;q=1.001",
        "application/openmetrics-text;q=-1", "application/openmetrics-text;q=",
        "application/openmetrics-text;version=0.0.1",
        "application/openmetrics-text;version=2.0.0", ";;;,,,===;q", ",",
        "application/openmetrics-textual"}) {
    EXPECT_FALSE(PrefersOpenMetrics(accept)) << accept;
  }
}

TEST(NegotiationTest, NamesWhatItGives) {
  EXPECT_EQ(ContentType(true),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_EQ(ContentType(false), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace
}  // namespace kem
