/* The optimizers' kernels for 64-bit ARM. */
#if defined(__aarch64__)
#define NN_VEC_NEON
#define NN_TABLE nn_opt_kernels_neon
#include <math.h>
#include <string.h>

#include "model/optimizer_kernels.h"

#include "core/vec.h"
#include "model/optimizer_kernels_body.h"
#include "core/vec_end.h"
#endif
