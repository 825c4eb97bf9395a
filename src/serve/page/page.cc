#include "serve/page/page.h"

#include <cstddef>
#include <memory>
#include <string>

#include "serve/page/policy.h"

// Defined in page.S: the first byte of the page and the one behind its last.
extern "C" const char cistern_page_begin[];
extern "C" const char cistern_page_end[];

namespace cistern::serve::page {
namespace {

constexpr std::string_view kFavicon =
    R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><style>)"
    R"(.v{fill:none;stroke:#1c2326;stroke-width:2.6;stroke-linecap:round})"
    R"(@media(prefers-color-scheme:dark){.v{stroke:#e7eaea}}</style>)"
    R"(<path fill="#12939b" d="M6 16c3.3-2.6 6.7-2.6 10 0s6.7 2.6 10 0v6a6 6 0 0 1-6 6h-8a6 6 0 0 1-6-6z"/>)"
    R"(<path class="v" d="M6 5v17a6 6 0 0 0 6 6h8a6 6 0 0 0 6-6V5"/></svg>)";

// A browser that has this very page is told so. It asks each time, so a new program shows its own page at
// once.
void serve_html(const std::shared_ptr<http::Exchange>& exchange) {
  http::Headers headers = {{"ETag", std::string(kEntityTag)},
                           {"Cache-Control", "no-cache"},
                           {"Content-Security-Policy", std::string(kContentSecurityPolicy)},
                           {"Cross-Origin-Resource-Policy", "same-origin"},
                           {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
                           {"Referrer-Policy", "no-referrer"},
                           {"X-Content-Type-Options", "nosniff"}};
  const auto known = exchange->request().header("if-none-match");
  const bool is_known = known && known->find(kEntityTag) != std::string_view::npos;
  exchange->respond({.status = is_known ? 304U : 200U,
                     .content_type = "text/html; charset=utf-8",
                     .body = is_known ? std::string() : std::string(html()),
                     .headers = std::move(headers)});
}

void serve_favicon(const std::shared_ptr<http::Exchange>& exchange) {
  exchange->respond({.content_type = "image/svg+xml",
                     .body = std::string(kFavicon),
                     .headers = {{"Cache-Control", "max-age=86400"}, {"X-Content-Type-Options", "nosniff"}}});
}

}  // namespace

std::string_view html() {
  return {cistern_page_begin, static_cast<std::size_t>(cistern_page_end - cistern_page_begin)};
}

std::vector<http::Route> routes() {
  return {
      {"GET", "/", serve_html}, {"GET", "/index.html", serve_html}, {"GET", "/favicon.svg", serve_favicon}};
}

}  // namespace cistern::serve::page
