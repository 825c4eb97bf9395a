// A shared library that is loaded when it is first needed and not with the program: the program starts on
// machines that do not have it, and no other code of this process comes near it. Used for what one command
// needs (fetch/). A library stays loaded until the program ends, because some register handlers for that
// moment; copies of this object are handles of the same library. Thread-safe.
#pragma once

#include <span>
#include <string>

#include "base/error.h"

namespace cistern::sys {

class DynamicLibrary {
 public:
  // The first of `names` ("libz.so.1") that the system's loader finds. kUnsupported: none, with its reason
  // for the first name.
  static Result<DynamicLibrary> open(std::span<const char* const> names);

  // Sets `function` to the address of `name`; false when the library has no such function. Its type must be
  // that of the library's header.
  template <class Function>
  bool find(const char* name, Function*& function) const {
    function = reinterpret_cast<Function*>(address(name));
    return function != nullptr;
  }

 private:
  explicit DynamicLibrary(void* handle) : handle_(handle) {}
  void* address(const char* name) const;

  void* handle_;
};

}  // namespace cistern::sys
