// Opens the neon_i8mm target region: what is defined until region_end.h is compiled for it. Include after
// all other headers, so that their inline functions stay at the baseline. No include guard: it is a pair of
// brackets.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod,i8mm"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod+i8mm")
#endif
