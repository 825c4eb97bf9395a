// Turns SIGBUS inside registered file mappings into zero pages: when the file behind a mapping shrinks or its
// disk fails, the read sees zeros and the first damaged offset is recorded. Used by mapped_file.cc only.
// Signal handlers are process-wide, so this is the library's one piece of global state: a fixed table of
// atomics that the handler can read at any moment. Faults elsewhere go to the handler that was there before.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace cistern::sys {

class GuardedRange {
 public:
  static constexpr std::size_t kMaxRanges = 4096;  // mappings alive at once

  // Watches [begin, begin + bytes); nothing when the table is full. REQUIRES: begin is page-aligned, bytes >
  // 0.
  static std::optional<GuardedRange> watch(const void* begin, std::size_t bytes);

  GuardedRange(GuardedRange&& other) noexcept;
  GuardedRange& operator=(GuardedRange&& other) noexcept;
  ~GuardedRange();

  // Offset of the first page that could not be read, if any.
  std::optional<std::uint64_t> damaged_offset() const noexcept;

 private:
  explicit GuardedRange(std::size_t slot) : slot_(slot) {}
  std::size_t slot_;  // kMaxRanges: moved from
};

}  // namespace cistern::sys
