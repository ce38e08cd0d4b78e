/* The same elements with another shape or dtype. */
#include <string.h>

#include "ops/ops.h"

/* --- reshape: attrs.i = {ndim, dims...}; one dim may be -1: what is left --------------------- */

static nn_status reshape_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                               nn_shape *out, nn_error *e) {
  (void)n_in;
  int64_t total = nn_shape_size(in[0]);
  int rest = -1;
  char from[160], to[160];
  if (a->i[0] < 0 || a->i[0] > NN_MAX_DIMS)
    return nn_fail(e, NN_ERR_SHAPE, "reshape: %lld dimensions, at most %d are possible",
                   (long long)a->i[0], NN_MAX_DIMS);
  out->dtype = in[0]->dtype, out->ndim = (int)a->i[0];
  for (int i = 0; i < out->ndim; i++) {
    out->dim[i] = a->i[1 + i];
    if (out->dim[i] != -1) continue;
    if (rest >= 0) return nn_fail(e, NN_ERR_SHAPE, "reshape: more than one dimension is -1");
    rest = i;
    out->dim[i] = 1;
  }
  if (nn_shape_check(out, e) != NN_OK) return nn_fail_in(e, "reshape");
  if (rest >= 0) {
    int64_t known = nn_shape_size(out);
    out->dim[rest] = known > 0 ? total / known : 0;
  }
  if (nn_shape_size(out) != total)
    return nn_fail(e, NN_ERR_SHAPE, "reshape: %lld numbers of shape %s do not fill %s",
                   (long long)total, nn_shape_text(in[0], from, sizeof from),
                   nn_shape_text(out, to, sizeof to));
  return NN_OK;
}

static void copy_forward(nn_call *c) {
  if (c->out[0] != c->in[0]) memcpy(c->out[0], c->in[0], nn_shape_bytes(c->in_shape[0]));
}

static void copy_backward(nn_call *c) {
  size_t n = (size_t)nn_shape_size(c->in_shape[0]);
  if (!c->din[0] || c->din[0] == c->dout[0]) return;
  if (c->accumulate[0]) nn_kernels_get()->add(c->din[0], c->din[0], c->dout[0], n);
  else memcpy(c->din[0], c->dout[0], n * sizeof(float));
}

const nn_op nn_op_reshape = {.name = "reshape", .n_in = 1, .n_out = 1, .flags = NN_OP_ALIAS,
                             .shape = reshape_shape, .forward = copy_forward,
                             .backward = copy_backward};

/* --- copy, stop_gradient --------------------------------------------------------------------- */

static nn_status same_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  (void)a, (void)n_in, (void)e;
  *out = *in[0];
  return NN_OK;
}

const nn_op nn_op_copy = {.name = "copy", .n_in = 1, .n_out = 1, .shape = same_shape,
                          .forward = copy_forward, .backward = copy_backward};

const nn_op nn_op_stop_gradient = {.name = "stop_gradient", .n_in = 1, .n_out = 1,
                                   .flags = NN_OP_ALIAS, .shape = same_shape,
                                   .forward = copy_forward};

/* --- cast: attrs.i = {dtype}; float to integer truncates towards zero and saturates ---------- */

static nn_status cast_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  (void)n_in;
  if (a->i[0] < NN_F32 || a->i[0] > NN_U8)
    return nn_fail(e, NN_ERR_ARGUMENT, "cast: dtype number %lld, expected 0 to 2",
                   (long long)a->i[0]);
  *out = *in[0];
  out->dtype = (nn_dtype)a->i[0];
  return NN_OK;
}

static void cast_forward(nn_call *c) {
  nn_tensor x, y;
  if (c->out[0] == c->in[0]) return;
  nn_tensor_init(&x, c->in_shape[0], c->in[0]);
  nn_tensor_init(&y, c->out_shape[0], c->out[0]);
  nn_tensor_copy(&y, &x);
}

const nn_op nn_op_cast = {.name = "cast", .n_in = 1, .n_out = 1, .flags = NN_OP_ALIAS,
                          .shape = cast_shape, .forward = cast_forward, .backward = copy_backward};
