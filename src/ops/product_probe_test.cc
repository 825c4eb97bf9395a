#include "ops/product_probe.h"

#include <gtest/gtest.h>

namespace cistern::ops {
namespace {

TEST(ProductProbe, measures_every_kind_of_type) {
  sys::ThreadPool pool(2);
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kQ8_0, DType::kQ4_K, DType::kIQ3_S}) {
    const ProductSpeed speed = measure_products(pool, sys::best_isa(), dtype, 0.004);
    // Orders of magnitude: no machine is slower than the first or faster than the last.
    EXPECT_GT(speed.decode_bytes_per_s, 1e6);
    EXPECT_LT(speed.decode_bytes_per_s, 1e14);
    EXPECT_GT(speed.prefill_macs_per_s, 1e6);
    EXPECT_LT(speed.prefill_macs_per_s, 1e16);
  }
}

TEST(ProductProbe, dispatching_takes_time) {
  sys::ThreadPool pool(2);
  const double seconds = measure_dispatch(pool);
  EXPECT_GT(seconds, 0);
  EXPECT_LT(seconds, 1);
}

}  // namespace
}  // namespace cistern::ops
