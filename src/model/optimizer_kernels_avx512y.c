/* The optimizers' kernels for AVX-512 on 8 lanes: small variables leave fewer idle. */
#if defined(__x86_64__)
#define NN_VEC_AVX512Y
#define NN_TABLE nn_opt_kernels_avx512y
#include <math.h>
#include <string.h>

#include "model/optimizer_kernels.h"

#include "core/vec.h"
#include "model/optimizer_kernels_body.h"
#include "core/vec_end.h"
#endif
