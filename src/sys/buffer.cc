#include "sys/buffer.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <limits>
#include <utility>

#include "sys/huge_pages.h"

namespace cistern::sys {

Result<Buffer> Buffer::allocate(std::uint64_t bytes) {
  // Half the address space: what the kernel could round up without overflow.
  constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::uint64_t>::max() / 2;
  Buffer buffer;
  if (bytes == 0) return buffer;
  void* memory = bytes > kMaxBytes ? MAP_FAILED
                                   : mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return fail(ErrorCode::kMemory,
                fmt::format("the system refused {} bytes of memory: use a smaller context or model", bytes));
  }
  buffer.bytes_ = {static_cast<std::byte*>(memory), static_cast<std::size_t>(bytes)};
  advise_huge_pages(buffer.bytes_);
  return buffer;
}

Buffer::Buffer(Buffer&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

Buffer::~Buffer() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

void commit(std::span<std::byte> untouched) noexcept {
  constexpr std::size_t kLeastPageBytes = 4096;
  for (std::size_t at = 0; at < untouched.size(); at += kLeastPageBytes)
    *const_cast<volatile std::byte*>(&untouched[at]) = std::byte{0};
}

}  // namespace cistern::sys
