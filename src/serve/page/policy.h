// What the server sends with the page, made together with index.html by the build of web/ (docs/page.md).
// Called by page.cc. Constants; not to be edited by hand.
#pragma once

#include <string_view>

namespace cistern::serve::page {

inline constexpr std::string_view kEntityTag = "\"03718821d310b3d09615ddbf49e5aa67\"";
inline constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; "
    "script-src 'sha256-u1jKlo0sqcDnsn4jniWUfks+R27v6gFxKAY3s2agU3A='; "
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
