#include "tools/html.h"

#include "text/utf8.h"

namespace cistern::tools {

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text::repair_utf8(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        const bool forbidden = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
        escaped += forbidden ? ' ' : c;
      }
    }
  }
  return escaped;
}

std::string html_page(const HtmlPage& page) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>";
  html += escape_html(page.title);
  html += "</title>\n<style>\n";
  html += page.style;
  html += "</style>\n</head>\n<body>\n";
  html += page.body;
  if (!page.script.empty()) {
    html += "<script>\n";
    html += page.script;
    html += "</script>\n";
  }
  html += "</body>\n</html>\n";
  return html;
}

}  // namespace cistern::tools
