/* A strided reading of an array:
 *     out[i0, i1, ...] = x[offset + i0 * stride[0] + i1 * stride[1] + ...]
 *
 * Transposing, broadcasting, slicing, flipping and taking a diagonal are all such readings; they
 * differ only in the numbers. The gradient adds dy back along the same reading, in row-major order
 * of the output, so sums over repeated elements have one fixed order.
 */
#ifndef NN_OPS_STRIDED_H
#define NN_OPS_STRIDED_H

#include "ops/op.h"

typedef struct nn_reading {
  int ndim;
  int64_t dim[NN_MAX_DIMS];
  int64_t stride[NN_MAX_DIMS]; /* elements of x; 0 repeats, negative runs backwards */
  int64_t offset;              /* of the first element */
} nn_reading;

/* y (contiguous, of r's dims) = x read by r. Elements have `size` bytes (4 or 1). */
void nn_reading_copy(const nn_reading *r, void *y, const void *x, size_t size);
/* dx (n elements) = or += the gradient of the reading. */
void nn_reading_grad(const nn_reading *r, float *dx, const float *dy, int acc, int64_t n);

#endif
