/* The matrix kernels for AVX-512 on 8 lanes, for narrow matrices. */
#if defined(__x86_64__)
#define NN_VEC_AVX512Y
#define NN_TABLE nn_gemm_avx512y
#define NN_R1 14
#define NN_R2 12
#define NN_R4 6
#define NN_R8 2
#define NN_NARROW 25 /* accumulators of a narrow tile */
#define NN_CHAIN_WIDE
#include "core/gemm_native.h"

#include "core/vec.h"
#include "core/gemm_body.h"
#include "core/vec_end.h"
#endif
