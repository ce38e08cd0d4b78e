/* What elementwise ops share: long arrays are cut into ranges that the pool's threads take, ranges
 * into blocks that fit a buffer on the stack, and inputs are read through their broadcasting.
 */
#ifndef NN_OPS_BLOCK_H
#define NN_OPS_BLOCK_H

#include "ops/op.h"

enum { NN_BLOCK = 1024, NN_RANGE = 16384 };

/* Elements from .. to-1 of a job. */
typedef void (*nn_range)(void *arg, int64_t from, int64_t to);
/* Runs f over 0 .. n-1, cut into ranges of `grain` (0: NN_RANGE) when there are at least two. */
void nn_ranges_run(nn_run *run, int64_t n, int64_t grain, nn_range f, void *arg);

/* How an input lies in an output that it is broadcast to. */
typedef struct nn_spread {
  const void *data; /* borrowed */
  nn_dtype dtype;
  int flat; /* the same elements in the same order */
  int ndim; /* else: dims of the output, adjacent ones merged, and the steps of the input in them */
  int64_t dim[NN_MAX_DIMS], step[NN_MAX_DIMS];
} nn_spread;

void nn_spread_init(nn_spread *s, const void *data, const nn_shape *in, const nn_shape *out);
/* Elements at .. at+n-1 (n <= NN_BLOCK) of the output's order: in place or in buf. */
const float *nn_spread_f32(const nn_spread *s, int64_t at, int64_t n, float *buf);
const int32_t *nn_spread_i32(const nn_spread *s, int64_t at, int64_t n, int32_t *buf);

/* Elements at .. at+n-1 of an array as float32: in place or in buf. */
const float *nn_array_f32(const void *data, nn_dtype t, int64_t at, int64_t n, float *buf);
/* Element i of an array of any dtype. */
static inline double nn_element(const void *data, nn_dtype t, int64_t i) {
  if (t == NN_F32) return ((const float *)data)[i];
  return t == NN_I32 ? ((const int32_t *)data)[i] : ((const uint8_t *)data)[i];
}
/* A whole input as float32: in place or in buf (its size). */
const float *nn_input_f32(const nn_call *c, int i, float *buf);
/* Bytes of that buffer: 0 when the input is float32. */
size_t nn_input_f32_bytes(const nn_shape *s);

/* dst (+)= src summed over the axes that dst was broadcast along. */
void nn_sum_to(float *dst, const nn_shape *ds, const float *src, const nn_shape *ss, int acc);
/* out (n) (+)= the sum of m rows of n, good to some 1e-6 at any m. */
void nn_sum_rows(float *out, const float *x, int acc, int64_t m, int64_t n);
/* The sum of n elements, good to some 1e-7. */
double nn_sum_all(const float *x, int64_t n);
/* dst (+)= src */
void nn_put(float *dst, const float *src, int acc, int64_t n);

/* Two integer dtypes give int32, anything else float32. */
nn_dtype nn_dtype_join(nn_dtype a, nn_dtype b);
/* out = in with another dtype. */
nn_status nn_shape_keep(const nn_shape *in, nn_dtype t, nn_shape *out);
/* Broadcasts n inputs; the text of a failure begins with the op's name. */
nn_status nn_shape_join(const char *op, int n, const nn_shape *const *in, nn_shape *out,
                        nn_error *e);
/* A 0-based axis (negative from the end) of `s`; -1 when it is outside. */
int nn_axis(const nn_shape *s, int64_t axis);
/* s as (outer, n, inner) around an axis. */
typedef struct nn_lines {
  int64_t outer, n, inner;
} nn_lines;
nn_lines nn_lines_of(const nn_shape *s, int axis);
nn_status nn_axis_fail(const char *op, const nn_shape *s, int64_t axis, nn_error *e);

#endif
