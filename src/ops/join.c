/* concatenate: arrays one after the other along an axis. attrs.i = {axis from 0}. The arrays have
 * one dtype (the Lua side casts), so rows are copied as bytes. */
#include <string.h>

#include "ops/ops.h"

static nn_status check_part(const nn_shape *first, const nn_shape *x, int k, int axis,
                            nn_error *e) {
  char a[160], b[160];
  int fits = x->ndim == first->ndim;
  for (int i = 0; fits && i < x->ndim; i++) fits = i == axis || x->dim[i] == first->dim[i];
  if (!fits)
    return nn_fail(e, NN_ERR_SHAPE,
                   "concatenate: array %d has shape %s, expected %s but for axis %d", k + 1,
                   nn_shape_text(x, a, sizeof a), nn_shape_text(first, b, sizeof b), axis + 1);
  if (x->dtype != first->dtype)
    return nn_fail(e, NN_ERR_SHAPE, "concatenate: array %d is %s, expected %s", k + 1,
                   nn_dtype_name(x->dtype), nn_dtype_name(first->dtype));
  return NN_OK;
}

static nn_status shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                       nn_error *e) {
  if (n_in == 0) return nn_fail(e, NN_ERR_ARGUMENT, "concatenate: no arrays, expected 1 or more");
  int axis = (int)a->i[0];
  if (in[0]->ndim == 0)
    return nn_fail(e, NN_ERR_SHAPE, "concatenate: array 1 is a scalar, expected 1 axis or more");
  if (a->i[0] < 0 || a->i[0] >= in[0]->ndim)
    return nn_fail(e, NN_ERR_ARGUMENT, "concatenate: axis %lld, expected 1 to %d",
                   (long long)a->i[0] + 1, in[0]->ndim);
  *out = *in[0];
  for (int k = 1; k < n_in; k++) {
    nn_status s = check_part(in[0], in[k], k, axis, e);
    if (s != NN_OK) return s;
    out->dim[axis] += in[k]->dim[axis];
  }
  return nn_shape_check(out, e) == NN_OK ? NN_OK : nn_fail_in(e, "concatenate");
}

/* Elements of one block of `s`: all axes from `axis` on. */
static int64_t block_of(const nn_shape *s, int axis) {
  int64_t n = 1;
  for (int i = axis; i < s->ndim; i++) n *= s->dim[i];
  return n;
}

static int64_t blocks_of(const nn_shape *s, int axis) {
  int64_t n = 1;
  for (int i = 0; i < axis; i++) n *= s->dim[i];
  return n;
}

static void forward(nn_call *c) {
  int axis = (int)c->attrs->i[0];
  size_t size = nn_dtype_size(c->out_shape[0]->dtype);
  size_t whole = (size_t)block_of(c->out_shape[0], axis) * size;
  int64_t blocks = blocks_of(c->out_shape[0], axis);
  char *y = c->out[0];
  for (int k = 0; k < c->n_in; k++) {
    const char *x = c->in[k];
    size_t part = (size_t)block_of(c->in_shape[k], axis) * size;
    for (int64_t b = 0; part && b < blocks; b++)
      memcpy(y + (size_t)b * whole, x + (size_t)b * part, part);
    y += part;
  }
}

static void backward(nn_call *c) {
  int axis = (int)c->attrs->i[0];
  int64_t whole = block_of(c->out_shape[0], axis), blocks = blocks_of(c->out_shape[0], axis);
  const float *dy = c->dout[0];
  for (int k = 0; k < c->n_in; k++) {
    float *dx = c->din[k];
    int64_t part = block_of(c->in_shape[k], axis);
    for (int64_t b = 0; dx && part && b < blocks; b++) {
      float *to = dx + b * part;
      const float *from = dy + b * whole;
      if (c->accumulate[k]) nn_kernels_get()->add(to, to, from, (size_t)part);
      else memcpy(to, from, (size_t)part * sizeof(float));
    }
    dy += part;
  }
}

const nn_op nn_op_concatenate = {.name = "concatenate", .n_in = -1, .n_out = 1, .shape = shape,
                                 .forward = forward, .backward = backward};
