#include "sys/dynamic_library.h"

#include <dlfcn.h>

namespace cistern::sys {

Result<DynamicLibrary> DynamicLibrary::open(std::span<const char* const> names) {
  std::string reason = "no name given";
  for (const char* name : names) {
    if (void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return DynamicLibrary(handle);
    const char* text = dlerror();
    if (name == names.front()) reason = text == nullptr ? name : text;
  }
  return fail(ErrorCode::kUnsupported, "cannot load the library: " + reason);
}

void* DynamicLibrary::address(const char* name) const {
  return dlsym(handle_, name);
}

}  // namespace cistern::sys
