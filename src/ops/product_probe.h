// How fast the matrix products of a weight type are on this machine, measured with the products that the
// engine computes: with one token and weights in cache, where unpacking is the limit, and with many tokens,
// where multiplying is. What is to be expected of a step follows from these and from the bandwidth of memory
// (plan/forecast.h). Some tens of milliseconds a type. Not thread-safe.
#pragma once

#include "sys/cpu_features.h"
#include "sys/thread_pool.h"
#include "tensor/dtype.h"

namespace cistern::ops {

struct ProductSpeed {
  double decode_bytes_per_s = 0;  // of weights in cache, all threads together, one token
  double prefill_macs_per_s = 0;  // kProbeTokens tokens
};

inline constexpr int kProbeTokens = 256;

// The best of several short measurements within about `seconds`. REQUIRES: a type of weights.
ProductSpeed measure_products(sys::ThreadPool& pool, sys::Isa isa, DType dtype, double seconds);

// Seconds that handing one piece of work to all threads and waiting for them takes.
double measure_dispatch(sys::ThreadPool& pool);

}  // namespace cistern::ops
