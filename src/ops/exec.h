// What every op runs with: the threads, the kernels of the chosen ISA, and per-thread scratch. Made once by
// the engine; passed to each op. An Exec is used by one caller at a time; ops themselves fan out over its
// pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kernel_table.h"
#include "sys/thread_pool.h"

namespace cistern::ops {

struct Exec {
  sys::ThreadPool* pool = nullptr;
  const kernels::KernelTable* kernels = nullptr;
  std::span<std::byte> packed;  // activations of the product at hand; packed_activation_bytes (matmul.h)
  std::span<float> scratch;     // scratch_floats per thread, one after the other
  std::size_t scratch_floats_per_thread = 0;

  int threads() const { return pool->size(); }
  float* scratch_of(int thread) const {
    return scratch.data() + static_cast<std::size_t>(thread) * scratch_floats_per_thread;
  }
};

// Floats of scratch that each thread needs for matmuls with rows of up to `max_cols` values and up to
// `tokens` tokens, and for attention with heads of up to `max_head_dim` values. The planner sizes the arena
// by it.
std::size_t scratch_floats(std::uint64_t max_cols, std::uint64_t tokens, std::uint64_t max_head_dim) noexcept;

// A contiguous share of `count` items for thread `index` of `threads`, in units of `grain` items.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};
Range share_of(std::uint64_t count, std::uint64_t grain, int index, int threads) noexcept;

// Runs f(thread, range) on every thread's share of `count` items; on the caller alone when there is but one
// grain, where waking the others would cost more than the work (every small op of a decode step).
template <class F>
void for_shares(const Exec& exec, std::uint64_t count, std::uint64_t grain, const F& f) {
  if (count <= grain) {
    f(0, Range{0, count});
    return;
  }
  exec.pool->run([&](int thread, int threads) { f(thread, share_of(count, grain, thread, threads)); });
}

}  // namespace cistern::ops
