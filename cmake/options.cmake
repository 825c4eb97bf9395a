# Language level, warnings and sanitizers, for every target of the project.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# No contraction of a*b+c into fma behind our back: a result depends on the source and the ISA chosen at run
# time, never on the optimizer (contract 4).
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-psabi -Wno-missing-field-initializers -ffp-contract=off
  "$<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>")
# libstdc++ 12 as seen by g++ 12 warns about its own std::expected and std::regex internals at -O2/-O3.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized;-Wno-restrict>")
endif()

if(CISTERN_SANITIZE)
  add_compile_options(-fsanitize=${CISTERN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CISTERN_SANITIZE})
endif()

if(CISTERN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # coverage in the libraries, too: it guides the fuzzer
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
