/* The vector kernels for plain C. */
#define NN_VEC_PORTABLE
#define NN_TABLE nn_kernels_portable
#define NN_NAME "portable"
#include "core/isa.h"

#include "core/vec.h"
#include "core/kernels_body.h"
#include "core/vec_end.h"
