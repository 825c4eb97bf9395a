// Whether a test may measure the process's memory. A sanitizer keeps shadow memory of its own, holds freed
// memory back and reserves terabytes of address space; such tests then start with `if (!kMemoryIsOurs)
// GTEST_SKIP() << kSanitizersMemory;`.
#pragma once

namespace cistern::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryIsOurs = false;
#else
inline constexpr bool kMemoryIsOurs = true;
#endif
inline constexpr const char* kSanitizersMemory = "SKIPPED: a sanitizer's memory is not the program's";

}  // namespace cistern::testing
