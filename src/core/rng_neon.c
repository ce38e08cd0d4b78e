/* The random number kernels for 64-bit ARM. */
#if defined(__aarch64__)
#define NN_VEC_NEON
#define NN_TABLE nn_rng_neon
#include "core/isa.h"
#include "core/rng_native.h"

#include "core/vec.h"
#include "core/rng_body.h"
#include "core/vec_end.h"
#endif
