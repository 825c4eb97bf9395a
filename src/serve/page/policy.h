// What the server sends with the page, made together with index.html by the build of web/ (docs/page.md).
// Called by page.cc. Constants; not to be edited by hand.
#pragma once

#include <string_view>

namespace cistern::serve::page {

inline constexpr std::string_view kEntityTag = "\"2e5d6cbceb01ef78ef66f720a528b3e1\"";
inline constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; "
    "script-src 'sha256-SR+NXdzChi0SoV9ABYSMAxzWMK8WYTov4I28cGk7SrQ='; "
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
