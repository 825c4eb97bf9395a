// The physical limits of this machine, measured: bytes per second that its threads can read from memory, and
// multiply-accumulates per second of each arithmetic. The best of several access patterns and instruction
// mixes (kernels/peak_table.h) counts, so that no product or step can beat its limit. Both change by tens of
// percent within minutes on shared machines: search() or the constructor finds the fastest ways once,
// sample() measures them again in a given time, to be called next to every figure that is judged. Not
// thread-safe; a probe uses its pool, which must outlive it and be idle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "kernels/peak_table.h"
#include "sys/buffer.h"
#include "sys/cpu_features.h"
#include "sys/thread_pool.h"

namespace cistern::ops {

// Memory to read: written once, spread over memory nodes. Much larger than the last cache, or caches are
// measured.
class ProbeMemory {
 public:
  enum class Pages { kHuge, kSmall };  // as far as the system goes along

  // kMemory when the system refuses.
  static Result<ProbeMemory> create(sys::ThreadPool& pool, std::uint64_t n_bytes, Pages pages);
  // Memory that is there anyway, such as a model's; not owned. From its first whole cache line on.
  static ProbeMemory borrow(std::span<const std::byte> bytes);

  std::span<const std::byte> bytes() const { return bytes_; }
  Pages pages() const { return pages_; }

 private:
  sys::Buffer huge_;
  std::unique_ptr<std::byte[]> small_;
  std::span<const std::byte> bytes_;  // aligned to a cache line
  Pages pages_ = Pages::kHuge;
};

inline constexpr std::uint64_t kMinProbeBytes = 8ULL << 20U;

struct ReadPattern {
  const kernels::ReadLoop* loop = nullptr;
  std::size_t ahead_bytes = 0;  // of the prefetch
};

class ReadProbe {
 public:
  // Reads with the widest loads that `isa` has. REQUIRES: kMinProbeBytes of memory or more, which outlives
  // the probe.
  ReadProbe(sys::ThreadPool& pool, sys::Isa isa, const ProbeMemory& memory);

  // Tries all patterns for so many seconds each and keeps the fastest few.
  void search(double seconds_per_pattern);
  // Bytes per second now: the fastest of the patterns kept, measured for so many seconds in all.
  double sample(double seconds);

  std::string describe() const;  // the best pattern: "avx512 loads, 4 streams, prefetch 2048 bytes ahead"

 private:
  double measure(const ReadPattern& pattern, double seconds);

  sys::ThreadPool& pool_;
  const ProbeMemory& memory_;
  std::vector<ReadPattern> patterns_;  // the best first
  std::uint32_t next_chunk_ = 0;       // where the next measurement goes on, so that caches do not help it
};

class PeakProbe {
 public:
  // Uses instructions of `isa` and below; where it has none for the arithmetic, those for floats.
  PeakProbe(sys::ThreadPool& pool, sys::Isa isa, kernels::Arithmetic arithmetic);

  // Multiply-accumulates per second now: the fastest of the instruction mixes, measured for so many seconds
  // in all.
  double sample(double seconds);

  std::string_view instructions() const { return loops_.front()->instructions; }  // the fastest so far

 private:
  double measure(const kernels::PeakLoop& loop, double seconds);

  sys::ThreadPool& pool_;
  std::vector<const kernels::PeakLoop*> loops_;
};

}  // namespace cistern::ops
