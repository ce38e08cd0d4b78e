/* The random number kernels for plain C. */
#define NN_VEC_PORTABLE
#define NN_TABLE nn_rng_portable
#include "core/isa.h"
#include "core/rng_native.h"

#include "core/vec.h"
#include "core/rng_body.h"
#include "core/vec_end.h"
