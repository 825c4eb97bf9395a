# Libraries from the system's package manager; docs/dependencies.md says why each one. Static where the package
# has an archive, so that the binary runs on machines without the -dev packages.
find_package(Threads REQUIRED)
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(fmt 9 REQUIRED)
find_package(CLI11 2.1 REQUIRED)

# cistern_archive_library(NAME header.h lib): target dep::NAME for packages that ship no CMake config.
function(cistern_archive_library name header lib)
  find_path(${name}_INCLUDE ${header} REQUIRED)
  find_library(${name}_LIBRARY NAMES lib${lib}.a ${lib} REQUIRED)
  add_library(dep::${name} UNKNOWN IMPORTED)
  set_target_properties(dep::${name} PROPERTIES
    IMPORTED_LOCATION ${${name}_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${${name}_INCLUDE})
endfunction()
cistern_archive_library(pcre2 pcre2.h pcre2-8)
cistern_archive_library(utf8proc utf8proc.h utf8proc)
cistern_archive_library(hwloc hwloc.h hwloc)
cistern_archive_library(edit histedit.h edit)

if(CISTERN_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
if(CISTERN_BENCH)
  find_package(benchmark REQUIRED)
endif()
