// What the server sends with the page, made together with index.html by the build of web/ (docs/page.md).
// Called by page.cc. Constants; not to be edited by hand.
#pragma once

#include <string_view>

namespace cistern::serve::page {

inline constexpr std::string_view kEntityTag = "\"1d52c6053bad2bd143f903544c379adc\"";
inline constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; "
    "script-src 'sha256-V8to2mAG+rrIewukbhxQDHlVrojvZnG5lERqG6Pe9iQ='; "
    "script-src-attr 'none'; "
    "style-src 'sha256-2kb5XgvE361yhzq2k1khD7HFO1EM/AKt4FVfNAbu/ns='; "
    "style-src-attr 'none'; "
    "img-src 'self'; "
    "connect-src 'self'; "
    "base-uri 'none'; "
    "form-action 'none'; "
    "frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; "
    "trusted-types dompurify";

}  // namespace cistern::serve::page
