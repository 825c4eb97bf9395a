include(GoogleTest)

# cistern_keep_host_sources(VAR): drops the sources of other systems and processors from the list VAR. A folder's
# name says what its files are for; absence is a stub file or a shorter table, never an #ifdef.
function(cistern_keep_host_sources var)
  set(kept ${${var}})
  if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
    list(FILTER kept EXCLUDE REGEX "/linux/")
  endif()
  if(NOT APPLE)
    list(FILTER kept EXCLUDE REGEX "/macos/")
  endif()
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    list(FILTER kept EXCLUDE REGEX "/(x86|avx2|avx2_vnni|avx512|avx512_bf16)/")
  endif()
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    list(FILTER kept EXCLUDE REGEX "/(arm64|neon|neon_dotprod|neon_i8mm)/")
  endif()
  set(${var} ${kept} PARENT_SCOPE)
endfunction()

# cistern_module(NAME [DEPS libs...]): static library cistern_NAME from src/NAME/**/*.cc and, from the *_test.cc
# beside them, the test program NAME_test. Sources are found by pattern: adding a file needs no edit here.
function(cistern_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;TEST_DEPS" ${ARGN})
  set(folder ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB_RECURSE sources RELATIVE ${folder} CONFIGURE_DEPENDS ${folder}/*.cc ${folder}/*.S)
  list(TRANSFORM sources PREPEND ${name}/)  # relative to src/: the checkout's own path must not be filtered
  cistern_keep_host_sources(sources)
  list(TRANSFORM sources PREPEND ${CMAKE_SOURCE_DIR}/src/)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  if(sources)
    add_library(cistern_${name} STATIC ${sources})
    target_include_directories(cistern_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(cistern_${name} PUBLIC ${ARG_DEPS})
  else()
    add_library(cistern_${name} INTERFACE)
    target_include_directories(cistern_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(cistern_${name} INTERFACE ${ARG_DEPS})
  endif()
  if(tests AND CISTERN_TESTS)
    cistern_test(${name}_test SOURCES ${tests} DEPS cistern_${name} ${ARG_TEST_DEPS})
  endif()
endfunction()

# cistern_test(NAME SOURCES ... DEPS ...): a GoogleTest program. Every case is a CTest test of its own, so that a
# skipped one shows as skipped in CTest's summary; the list of cases is read when CTest starts.
function(cistern_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} cistern_test_support GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name} TEST_PREFIX ${name}/ DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60)
endfunction()

# cistern_program(NAME SOURCES ... DEPS ...): a program for users, in the root of the build folder. A release on
# Linux carries the C++ runtime with it, so that it also starts on systems with an older one.
function(cistern_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CISTERN_SANITIZE)
    target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc)
  endif()
endfunction()
