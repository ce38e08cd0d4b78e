/* The matrix kernels for AVX2 with FMA. */
#if defined(__x86_64__)
#define NN_VEC_AVX2
#define NN_TABLE nn_gemm_avx2
#define NN_R1 10
#define NN_R2 6
#define NN_R4 2
#define NN_R8 1
#define NN_NARROW 12 /* accumulators of a narrow tile */
#include "core/gemm_native.h"

#include "core/vec.h"
#include "core/gemm_body.h"
#include "core/vec_end.h"
#endif
