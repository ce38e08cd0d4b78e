/* The random number kernels for AVX2. */
#if defined(__x86_64__)
#define NN_VEC_AVX2
#define NN_TABLE nn_rng_avx2
#include "core/isa.h"
#include "core/rng_native.h"

#include "core/vec.h"
#include "core/rng_body.h"
#include "core/vec_end.h"
#endif
