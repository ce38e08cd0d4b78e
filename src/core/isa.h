/* What the files compiled once an instruction set share with those that choose between them. */
#ifndef NN_CORE_ISA_H
#define NN_CORE_ISA_H

#include <stdint.h>

#include "core/kernels.h"

extern const nn_kernels nn_kernels_avx512, nn_kernels_avx2, nn_kernels_neon, nn_kernels_portable;

/* Which of the tables the process uses: all tables have the same index. */
enum { NN_ISA_PORTABLE, NN_ISA_NEON, NN_ISA_AVX2, NN_ISA_AVX512, NN_ISA_COUNT };
int nn_isa_get(void);

/* Those of this processor's family, by their common name; NULL for the others. */
#if defined(__x86_64__)
#define NN_ISA_TABLES(name)                                                                      \
  {[NN_ISA_AVX512] = &name##_avx512, [NN_ISA_AVX2] = &name##_avx2,                               \
   [NN_ISA_PORTABLE] = &name##_portable}
#elif defined(__aarch64__)
#define NN_ISA_TABLES(name)                                                                      \
  {[NN_ISA_NEON] = &name##_neon, [NN_ISA_PORTABLE] = &name##_portable}
#else
#define NN_ISA_TABLES(name) {[NN_ISA_PORTABLE] = &name##_portable}
#endif

/* x = q pi/2 + r with |r| <= pi/4, for |x| > 1e5: gives r, and q modulo 4. NaN for inf, NaN. */
float nn_reduce_pi2(float x, int32_t *q);

#endif
