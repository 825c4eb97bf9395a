// fmt 9 as an archive, built from the package's own headers. Debian and Ubuntu ship fmt as a shared library
// only, and Cistern's binary should run where no fmt package is installed. This is the list of explicit
// instantiations that makes the format-inl.h of fmt 9 a library; for other versions cmake/dependencies.cmake
// does not use it.
#include <fmt/format-inl.h>

static_assert(FMT_VERSION / 10000 == 9, "cmake/dependencies.cmake selects this file for fmt 9 only");

FMT_BEGIN_NAMESPACE
namespace detail {

template FMT_API auto dragonbox::to_decimal(float x) noexcept -> dragonbox::decimal_fp<float>;
template FMT_API auto dragonbox::to_decimal(double x) noexcept -> dragonbox::decimal_fp<double>;
template FMT_API locale_ref::locale_ref(const std::locale& locale);
template FMT_API auto locale_ref::get<std::locale>() const -> std::locale;
template FMT_API auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl(locale_ref) -> char;
template FMT_API void buffer<char>::append(const char*, const char*);
template FMT_API void vformat_to(buffer<char>&, string_view, basic_format_args<FMT_BUFFER_CONTEXT(char)>,
                                 locale_ref);

}  // namespace detail
FMT_END_NAMESPACE
