/* Ends what core/vec.h began: back to the compiler's own target. */
#if defined(NN_VEC_AVX512) || defined(NN_VEC_AVX512Y) || defined(NN_VEC_AVX2)
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
