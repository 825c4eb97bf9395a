// What the HTML pages that commands write have in common: escaping, and the frame around a body. A page is
// one file that loads nothing. Called by bench_report and the files of plan_page. Pure: text out, no I/O.
#pragma once

#include <string>
#include <string_view>

namespace cistern::tools {

// Text that may hold anything, for the content of an element or an attribute in double quotes. Bytes that are
// no UTF-8 become U+FFFD, control characters that HTML forbids become spaces.
std::string escape_html(std::string_view text);

struct HtmlPage {
  std::string_view title;  // not yet escaped
  std::string_view style;  // CSS
  std::string_view body;   // HTML
  std::string_view script = {};
};
std::string html_page(const HtmlPage& page);

}  // namespace cistern::tools
