/* The matrix kernels for 64-bit ARM. */
#if defined(__aarch64__)
#define NN_VEC_NEON
#define NN_TABLE nn_gemm_neon
#define NN_R1 12
#define NN_R2 10
#define NN_R4 6
#define NN_R8 2
#include "core/gemm_native.h"

#include "core/vec.h"
#include "core/gemm_body.h"
#include "core/vec_end.h"
#endif
