/* The vector kernels for AVX-512. */
#if defined(__x86_64__)
#define NN_VEC_AVX512
#define NN_TABLE nn_kernels_avx512
#define NN_NAME "avx512"
#include "core/isa.h"

#include "core/vec.h"
#include "core/kernels_body.h"
#include "core/vec_end.h"
#endif
