/* Parts of matrices (the last two axes): band keeps the diagonals lo .. hi (0 is the main one,
 * columns to the right of it are positive), diag puts a vector on one. */
#include <string.h>

#include "ops/ops.h"

#define FAR ((int64_t)1 << 40)

/* --- band: attrs.i = {lo, hi} ---------------------------------------------------------------- */

static nn_status band_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  (void)a, (void)n_in;
  if (in[0]->ndim < 2)
    return nn_fail(e, NN_ERR_SHAPE, "tril, triu: x has %d dimensions, expected 2 or more",
                   in[0]->ndim);
  *out = *in[0];
  return NN_OK;
}

/* A diagonal's number, cut to where sums with it do not overflow. */
static int64_t within(int64_t k) { return k < -FAR ? -FAR : k > FAR ? FAR : k; }

/* The columns of row i that stay: from .. to-1. */
static void kept(const nn_attrs *a, int64_t i, int64_t n, int64_t *from, int64_t *to) {
  int64_t lo = i + within(a->i[0]), hi = i + within(a->i[1]) + 1;
  *from = lo < 0 ? 0 : lo > n ? n : lo;
  *to = hi < *from ? *from : hi > n ? n : hi;
}

static void band_forward(nn_call *c) {
  const nn_shape *s = c->in_shape[0];
  int64_t m = s->dim[s->ndim - 2], n = s->dim[s->ndim - 1], total = nn_shape_size(s), from, to;
  size_t size = nn_dtype_size(s->dtype);
  memset(c->out[0], 0, nn_shape_bytes(s));
  for (int64_t r = 0; n && r < total / n; r++) {
    kept(c->attrs, r % m, n, &from, &to);
    size_t at = (size_t)(r * n + from) * size;
    memcpy((char *)c->out[0] + at, (const char *)c->in[0] + at, (size_t)(to - from) * size);
  }
}

static void band_backward(nn_call *c) {
  const nn_shape *s = c->in_shape[0];
  int64_t m = s->dim[s->ndim - 2], n = s->dim[s->ndim - 1], total = nn_shape_size(s), from, to;
  float *dx = c->din[0];
  if (!dx) return;
  if (!c->accumulate[0]) memset(dx, 0, nn_shape_bytes(s));
  for (int64_t r = 0; n && r < total / n; r++) {
    kept(c->attrs, r % m, n, &from, &to);
    for (int64_t j = r * n + from; j < r * n + to; j++) dx[j] += c->dout[0][j];
  }
}

const nn_op nn_op_band = {.name = "band", .n_in = 1, .n_out = 1, .shape = band_shape,
                          .forward = band_forward, .backward = band_backward};

/* --- diag: (..., n) to matrices with it on diagonal k. attrs.i = {k} ------------------------- */

static nn_status diag_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  (void)n_in;
  const nn_shape *x = in[0];
  if (x->ndim < 1 || x->ndim == NN_MAX_DIMS)
    return nn_fail(e, NN_ERR_SHAPE, "diag: x has %d dimensions, expected 1 to %d", x->ndim,
                   NN_MAX_DIMS - 1);
  if (a->i[0] < -FAR || a->i[0] > FAR)
    return nn_fail(e, NN_ERR_ARGUMENT, "diag: k is %lld", (long long)a->i[0]);
  int64_t side = x->dim[x->ndim - 1] + (a->i[0] < 0 ? -a->i[0] : a->i[0]);
  *out = *x;
  out->dim[out->ndim++ - 1] = side;
  out->dim[out->ndim - 1] = side;
  return nn_shape_check(out, e) == NN_OK ? NN_OK : nn_fail_in(e, "diag");
}

/* Where element i of row r stands in y. */
static int64_t diag_place(const nn_call *c, int64_t r, int64_t i) {
  int64_t side = c->out_shape[0]->dim[c->out_shape[0]->ndim - 1], k = c->attrs->i[0];
  int64_t row = i + (k < 0 ? -k : 0), column = i + (k > 0 ? k : 0);
  return (r * side + row) * side + column;
}

static void diag_forward(nn_call *c) {
  const nn_shape *x = c->in_shape[0];
  int64_t n = x->dim[x->ndim - 1], total = nn_shape_size(x);
  size_t size = nn_dtype_size(x->dtype);
  memset(c->out[0], 0, nn_shape_bytes(c->out_shape[0]));
  for (int64_t j = 0; j < total; j++)
    memcpy((char *)c->out[0] + (size_t)diag_place(c, j / n, j % n) * size,
           (const char *)c->in[0] + (size_t)j * size, size);
}

static void diag_backward(nn_call *c) {
  const nn_shape *x = c->in_shape[0];
  int64_t n = x->dim[x->ndim - 1], total = nn_shape_size(x);
  float *dx = c->din[0];
  for (int64_t j = 0; dx && j < total; j++) {
    float d = c->dout[0][diag_place(c, j / n, j % n)];
    dx[j] = c->accumulate[0] ? dx[j] + d : d;
  }
}

const nn_op nn_op_diag = {.name = "diag", .n_in = 1, .n_out = 1, .shape = diag_shape,
                          .forward = diag_forward, .backward = diag_backward};
