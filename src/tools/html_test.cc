#include "tools/html.h"

#include <gtest/gtest.h>

namespace cistern::tools {
namespace {

TEST(Html, escapes_what_has_a_meaning) {
  EXPECT_EQ(escape_html("a<b> & \"c\"\n"), "a&lt;b&gt; &amp; &quot;c&quot;\n");
  EXPECT_EQ(escape_html(std::string_view("\0\x01\x7F", 3)), "   ");
  EXPECT_EQ(escape_html("\xC3\xA9 \xFF"), "\xC3\xA9 \xEF\xBF\xBD");
}

TEST(Html, a_page_has_a_script_only_where_it_is_wanted) {
  const std::string page = html_page({.title = "a & b", .style = "p { margin: 0 }\n", .body = "<p></p>\n"});
  EXPECT_NE(page.find("<title>a &amp; b</title>\n<style>\np { margin: 0 }\n</style>"), std::string::npos);
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_NE(html_page({.title = "", .style = "", .body = "", .script = "let x;\n"})
                .find("<script>\nlet x;\n</script>"),
            std::string::npos);
}

}  // namespace
}  // namespace cistern::tools
