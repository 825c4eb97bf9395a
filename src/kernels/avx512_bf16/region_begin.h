// Opens the avx512_bf16 target region: what is defined until region_end.h is compiled for it. Include after
// all other headers, so that their inline functions stay at the baseline. No include guard: it is a pair of
// brackets.
#if defined(__clang__)
#pragma clang attribute push(                                                                               \
    __attribute__((target(                                                                                  \
        "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx512vbmi2,avx2,fma,f16c,avx512bf16"))), \
    apply_to = function)
#else
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 in its own headers (bug 105593)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC push_options
#pragma GCC target( \
    "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx512vbmi2,avx2,fma,f16c,avx512bf16")
#endif
