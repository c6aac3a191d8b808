#include "scrape/page.h"

#include <gmock/gmock.h>

namespace kem {
namespace {

using ::testing::HasSubstr;

TEST(PageTest, LinksToTheRest) {
  const std::string page = RenderPage("/m.txt");
  EXPECT_THAT(page, HasSubstr("href=\"/m.txt\""));
  EXPECT_THAT(page, HasSubstr("href=\"/readyz\""));
  EXPECT_THAT(page, HasSubstr("href=\"/livez\""));
}

}  // namespace
}  // namespace kem
