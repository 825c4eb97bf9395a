#include "kernels/peak_table.h"

#include <vector>

#include "kernels/peak_loops.h"

namespace cistern::kernels {
namespace {

template <class Loop>
std::vector<Loop> join(std::initializer_list<std::span<const Loop>> parts) {
  std::vector<Loop> all;
  for (const std::span<const Loop> part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

std::span<const PeakLoop> peak_loops() {
  static const std::vector<PeakLoop> kLoops = join<PeakLoop>(
      {peak_loops_scalar(), peak_loops_avx2(), peak_loops_avx2_vnni(), peak_loops_avx512(),
       peak_loops_avx512_bf16(), peak_loops_neon(), peak_loops_neon_dotprod(), peak_loops_neon_i8mm()});
  return kLoops;
}

std::span<const ReadLoop> read_loops() {
  static const std::vector<ReadLoop> kLoops =
      join<ReadLoop>({read_loops_scalar(), read_loops_avx2(), read_loops_avx512()});
  return kLoops;
}

}  // namespace cistern::kernels
