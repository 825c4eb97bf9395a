// Opens the avx2 target region: what is defined until region_end.h is compiled for it. Include after all
// other headers, so that their inline functions stay at the baseline. No include guard: it is a pair of
// brackets.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif
