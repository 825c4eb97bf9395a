# Libraries from the system's package manager; docs/dependencies.md says why each one. Static where the package
# has an archive, so that the binary runs on machines without these packages.
if(CMAKE_CROSSCOMPILING)
  include(cross_dependencies)
  return()
endif()
find_package(Threads REQUIRED)
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
set(OPENSSL_USE_STATIC_LIBS ON)
find_package(OpenSSL 3 REQUIRED)
find_package(CLI11 2.1 REQUIRED)

# cistern_archive_library(NAME header.h lib [NEEDS libs...]): target dep::NAME for packages that ship no CMake
# config. NEEDS is what the archive itself needs; a shared library brings its own.
function(cistern_archive_library name header lib)
  cmake_parse_arguments(ARG "" "" "NEEDS" ${ARGN})
  find_path(${name}_INCLUDE ${header} REQUIRED)
  find_library(${name}_LIBRARY NAMES lib${lib}.a ${lib} REQUIRED)
  mark_as_advanced(${name}_INCLUDE ${name}_LIBRARY)
  add_library(dep::${name} UNKNOWN IMPORTED)
  set_target_properties(dep::${name} PROPERTIES
    IMPORTED_LOCATION ${${name}_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${${name}_INCLUDE})
  if(${name}_LIBRARY MATCHES "\\.a$" AND NOT APPLE)
    foreach(need ${ARG_NEEDS})
      # The run-time package alone (libudev.so.1) is enough to link with.
      find_library(${need}_LIBRARY NAMES lib${need}.a ${need} lib${need}.so.1 REQUIRED)
      mark_as_advanced(${need}_LIBRARY)
      set_property(TARGET dep::${name} APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${${need}_LIBRARY})
    endforeach()
  endif()
endfunction()
cistern_archive_library(pcre2 pcre2.h pcre2-8)
cistern_archive_library(utf8proc utf8proc.h utf8proc)
cistern_archive_library(hwloc hwloc.h hwloc NEEDS udev)
cistern_archive_library(edit histedit.h edit NEEDS bsd md tinfo)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  cistern_archive_library(uring liburing.h uring)
else()
  add_library(dep::uring INTERFACE IMPORTED)  # src/sys/macos/ does without
endif()

# fmt 9 (Debian, Ubuntu) has no archive: one is made from its headers, see fmt_archive.cc. Other versions as they come.
find_path(fmt_INCLUDE fmt/core.h REQUIRED)
mark_as_advanced(fmt_INCLUDE)
file(STRINGS ${fmt_INCLUDE}/fmt/core.h is_fmt_9 REGEX "define FMT_VERSION 9[0-9][0-9][0-9][0-9]$")
if(is_fmt_9)
  add_library(cistern_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/fmt_archive.cc)
  target_include_directories(cistern_fmt SYSTEM PUBLIC ${fmt_INCLUDE})
  add_library(fmt::fmt ALIAS cistern_fmt)
else()
  find_package(fmt 9 REQUIRED)
endif()

if(CISTERN_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
if(CISTERN_BENCH)
  find_package(benchmark REQUIRED)
endif()
