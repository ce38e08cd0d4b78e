/* The vector kernels for AVX2 with FMA. */
#if defined(__x86_64__)
#define NN_VEC_AVX2
#define NN_TABLE nn_kernels_avx2
#define NN_NAME "avx2"
#include "core/isa.h"

#include "core/vec.h"
#include "core/kernels_body.h"
#include "core/vec_end.h"
#endif
