// The web configuration beside the Prometheus exporter-toolkit: toolkit.yaml
// has configurations with the verdicts of both. tests/real/test_toolkit.py
// compares the table with the real toolkit.
#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "testing/temp_folder.h"
#include "unit/net/certificates.h"
#include "web/web_settings.h"

namespace kem {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

// A row of the table.
struct Row {
  std::string name, config, toolkit, exporter, error, why;
};

std::vector<Row> ReadTable() {
  std::vector<Row> rows;
  for (const YAML::Node& node : YAML::LoadFile(KEM_TOOLKIT_TABLE)) {
    const auto text = [&node](const char* key, const std::string& otherwise) {
      return node[key].as<std::string>(otherwise);
    };
    const std::string toolkit = text("toolkit", "");
    rows.push_back({text("name", ""), text("config", ""), toolkit,
                    text("exporter", toolkit), text("error", ""),
                    text("why", "")});
  }
  return rows;
}

class ToolkitTest : public ::testing::Test {
 protected:
  ToolkitTest() {
    const PemPair ca = MakeCa();
    const PemPair server = MakeCertificate({}, &ca);
    Write("ca.crt", ca.certificate);
    Write("server.crt", server.certificate);
    Write("server.key", server.key);
    Write("empty", "");
    Write("blank", "\n \n");
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder.path() + "/" + name) << text;
  }

  void Check(const Row& row) {
    SCOPED_TRACE(row.name);
    EXPECT_THAT(row.toolkit, AnyOf("plain", "tls", "refused"));
    // A difference is a decision with a reason.
    EXPECT_EQ(row.toolkit != row.exporter, !row.why.empty());
    Write("web.yaml", row.config);
    const auto opened = WebSettingsFile::Open(folder.path() + "/web.yaml");
    if (!opened) {
      EXPECT_EQ(row.exporter, "refused") << opened.error().message;
      EXPECT_NE(row.error, "");
      EXPECT_THAT(opened.error().message, HasSubstr(row.error));
      return;
    }
    const bool tls =
        (*opened)->Current({}, std::chrono::hours(1)).context != nullptr;
    EXPECT_EQ(row.exporter, tls ? "tls" : "plain");
    EXPECT_EQ(row.error, "");
  }

  TempFolder folder;
};

TEST_F(ToolkitTest, EveryConfigurationOfTheTable) {
  const std::vector<Row> rows = ReadTable();
  EXPECT_GE(rows.size(), 58U);
  for (const Row& row : rows) Check(row);
}

TEST_F(ToolkitTest, AMissingFileIsRefused) {
  const auto opened = WebSettingsFile::Open(folder.path() + "/somefile");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("cannot read"));
}

}  // namespace
}  // namespace kem
