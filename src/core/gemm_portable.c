/* The matrix kernels for plain C. */
#define NN_VEC_PORTABLE
#define NN_TABLE nn_gemm_portable
#define NN_R1 4
#define NN_R2 4
#define NN_R4 2
#define NN_R8 1
#include "core/gemm_native.h"

#include "core/vec.h"
#include "core/gemm_body.h"
#include "core/vec_end.h"
