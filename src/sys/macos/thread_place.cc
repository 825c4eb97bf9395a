#include "sys/thread_place.h"

// Threads cannot be told where to run here.
namespace cistern::sys {

struct ThreadPlace::Handle {};

ThreadPlace::ThreadPlace() = default;
ThreadPlace::~ThreadPlace() = default;
void ThreadPlace::bind() noexcept {}
std::uint64_t ThreadPlace::processor_ns() const noexcept {
  return 0;
}
void ThreadPlace::move_here() noexcept {}
void ThreadPlace::restore() noexcept {}

}  // namespace cistern::sys
