/* The optimizers' kernels for plain C. */
#define NN_VEC_PORTABLE
#define NN_TABLE nn_opt_kernels_portable
#include <math.h>
#include <string.h>

#include "model/optimizer_kernels.h"

#include "core/vec.h"
#include "model/optimizer_kernels_body.h"
#include "core/vec_end.h"
