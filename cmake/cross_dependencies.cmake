# Dependencies of a cross build, which tests kernels and what is below them and has no libraries of the other
# processor: everything compiles against the headers of this machine's packages, GoogleTest and fmt are built from
# their sources, and nothing that needs another library can be linked.
find_package(Threads REQUIRED)
foreach(headers_only Boost::headers Boost::json OpenSSL::SSL CLI11::CLI11 dep::pcre2 dep::utf8proc dep::hwloc dep::uring dep::edit)
  add_library(${headers_only} INTERFACE IMPORTED)
endforeach()
# A part of hwloc's header lies among those of this machine's processor, which must come last.
set_target_properties(dep::hwloc PROPERTIES
  INTERFACE_COMPILE_OPTIONS "SHELL:-idirafter /usr/include/${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-gnu")

add_library(cistern_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/fmt_archive.cc)
add_library(fmt::fmt ALIAS cistern_fmt)

set(BUILD_GMOCK OFF)
set(INSTALL_GTEST OFF)
add_subdirectory(/usr/src/googletest ${CMAKE_BINARY_DIR}/googletest EXCLUDE_FROM_ALL SYSTEM)
target_compile_options(gtest PRIVATE -w)
