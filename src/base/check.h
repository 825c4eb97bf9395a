// CHECK for bugs: conditions that no input can break. A failed check aborts with the place; it is never used
// to validate files or requests (those are Errors, see error.h). Always on, in every build type.
#pragma once

namespace cistern {

[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace cistern

#define CISTERN_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::cistern::check_failed(#condition, __FILE__, __LINE__))
