// What the server sends with the page, made together with index.html by the build of web/ (docs/page.md).
// Called by page.cc. Constants; not to be edited by hand.
#pragma once

#include <string_view>

namespace cistern::serve::page {

inline constexpr std::string_view kEntityTag = "\"bd1856041bda0923b4c33df2df8308f3\"";
inline constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; "
    "script-src 'sha256-9TNCPUbLQrJpjHxeOtSMIGoISnXRhR1Gi2P8E75af18='; "
    "script-src-attr 'none'; "
    "style-src 'sha256-7MA8aTRnIxbS4abf0FQlSbh022tVuM25BKQZnmFfjd4='; "
    "style-src-attr 'none'; "
    "img-src 'self'; "
    "connect-src 'self'; "
    "base-uri 'none'; "
    "form-action 'none'; "
    "frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; "
    "trusted-types dompurify";

}  // namespace cistern::serve::page
