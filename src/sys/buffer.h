// Owner of zero-initialized, page-aligned memory straight from the operating system: KV caches, activations,
// scratch. Pages are committed when they are first written, so an untouched part costs nothing. Failure is a
// kMemory error, never an exception. Move-only; spans handed out die with the buffer. Concurrent use of the
// bytes is the callers' business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"

namespace cistern::sys {

class Buffer {
 public:
  // `bytes` may be 0.
  static Result<Buffer> allocate(std::uint64_t bytes);

  Buffer() = default;  // empty
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  std::span<std::byte> bytes() noexcept { return bytes_; }
  std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

// Has the system hand out memory that nobody has written yet, instead of when it is first written. May be
// called for pieces of a buffer on several threads at once.
void commit(std::span<std::byte> untouched) noexcept;

}  // namespace cistern::sys
