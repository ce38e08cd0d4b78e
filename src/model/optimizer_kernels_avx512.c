/* The optimizers' kernels for AVX-512. */
#if defined(__x86_64__)
#define NN_VEC_AVX512
#define NN_TABLE nn_opt_kernels_avx512
#include <math.h>
#include <string.h>

#include "model/optimizer_kernels.h"

#include "core/vec.h"
#include "model/optimizer_kernels_body.h"
#include "core/vec_end.h"
#endif
