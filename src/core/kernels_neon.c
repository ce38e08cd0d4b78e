/* The vector kernels for 64-bit ARM. */
#if defined(__aarch64__)
#define NN_VEC_NEON
#define NN_TABLE nn_kernels_neon
#define NN_NAME "neon"
#include "core/isa.h"

#include "core/vec.h"
#include "core/kernels_body.h"
#include "core/vec_end.h"
#endif
