// What the server sends with the page, made together with index.html by the build of web/ (docs/page.md).
// Called by page.cc. Constants; not to be edited by hand.
#pragma once

#include <string_view>

namespace cistern::serve::page {

inline constexpr std::string_view kEntityTag = "\"8f42ae613b6292604dc4c635e7d6de59\"";
inline constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; "
    "script-src 'sha256-4mFV+gz1My0WP02OlkztTvt4uPwChcagPQXBq1e0Zg0='; "
    "script-src-attr 'none'; "
    "style-src 'sha256-K8AVhyZXCRNBHMA2bNcGhe9L3RYwyh7aFbzPr/DZpP4='; "
    "style-src-attr 'none'; "
    "img-src 'self'; "
    "connect-src 'self'; "
    "base-uri 'none'; "
    "form-action 'none'; "
    "frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; "
    "trusted-types dompurify";

}  // namespace cistern::serve::page
