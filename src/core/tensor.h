/* A tensor is shape + strides over memory that somebody else owns.
 *
 * Strides count elements. A scalar has ndim 0 and size 1. Three dtypes: float32 computes,
 * int32 and uint8 store labels, indices, images, masks.
 */
#ifndef NN_CORE_TENSOR_H
#define NN_CORE_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define NN_MAX_DIMS 8

typedef enum nn_dtype { NN_F32 = 0, NN_I32 = 1, NN_U8 = 2 } nn_dtype;

/* What a value is, without its memory. */
typedef struct nn_shape {
  nn_dtype dtype;
  int ndim;
  int64_t dim[NN_MAX_DIMS];
} nn_shape;

typedef struct nn_tensor {
  nn_shape shape;
  int64_t stride[NN_MAX_DIMS];
  void *data; /* borrowed */
} nn_tensor;

size_t nn_dtype_size(nn_dtype t);         /* bytes of one element */
const char *nn_dtype_name(nn_dtype t);    /* "float32", "int32", "uint8" */
int nn_dtype_find(const char *name);      /* the nn_dtype, -1 when unknown ("bool" is uint8) */

int64_t nn_shape_size(const nn_shape *s); /* elements: the product of the dims, 1 when ndim = 0 */
size_t nn_shape_bytes(const nn_shape *s);
int nn_shape_same(const nn_shape *a, const nn_shape *b); /* dims alone, not the dtype */
/* Checks 0 <= dims, ndim <= NN_MAX_DIMS and that the byte count fits; else NN_ERR_SHAPE. */
nn_status nn_shape_check(const nn_shape *s, nn_error *e);
/* "(2, 3)", "(4)", "()": into buf (n bytes), returned. */
const char *nn_shape_text(const nn_shape *s, char *buf, size_t n);
/* NumPy broadcasting of dims; out->dtype is left alone. 0 when they do not fit. */
int nn_shape_broadcast(const nn_shape *a, const nn_shape *b, nn_shape *out);

void nn_tensor_init(nn_tensor *t, const nn_shape *s, void *data); /* row-major strides */
int nn_tensor_is_contiguous(const nn_tensor *t);
/* Copies elements in row-major order of the common shape, converting the dtype: float to integer
 * truncates towards zero and saturates (NaN gives 0). Either side may be strided. */
void nn_tensor_copy(const nn_tensor *dst, const nn_tensor *src);
double nn_tensor_get(const nn_tensor *t, int64_t offset);           /* element offset */
void nn_tensor_set(const nn_tensor *t, int64_t offset, double v);

#endif
