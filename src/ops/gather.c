/* take and take_along_axis: elements picked by number. attrs.i = {axis from 0, base} for both; the
 * bases are those of index.h. Numbers outside the axis are reported and give zeros, no gradient. */
#include <string.h>

#include "ops/block.h"
#include "ops/index.h"
#include "ops/ops.h"

/* --- take: x (outer, n, inner), index (any shape of m numbers) -> (outer, m, inner) ---------- */

static nn_status take_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  (void)n_in;
  const nn_shape *x = in[0], *index = in[1];
  if (a->i[0] < 0 || a->i[0] >= x->ndim) return nn_axis_fail("take", x, a->i[0], e);
  int axis = (int)a->i[0];
  if (x->ndim - 1 + index->ndim > NN_MAX_DIMS)
    return nn_fail(e, NN_ERR_SHAPE, "take: the result has %d dimensions, at most %d are possible",
                   x->ndim - 1 + index->ndim, NN_MAX_DIMS);
  out->dtype = x->dtype, out->ndim = 0;
  for (int i = 0; i < axis; i++) out->dim[out->ndim++] = x->dim[i];
  for (int i = 0; i < index->ndim; i++) out->dim[out->ndim++] = index->dim[i];
  for (int i = axis + 1; i < x->ndim; i++) out->dim[out->ndim++] = x->dim[i];
  return nn_shape_check(out, e) == NN_OK ? NN_OK : nn_fail_in(e, "take");
}

/* Rows from .. to-1 of the output, each `inner` elements. */
static void take_rows(void *arg, int64_t from, int64_t to) {
  nn_call *c = arg;
  const nn_shape *index = c->in_shape[1];
  nn_lines x = nn_lines_of(c->in_shape[0], (int)c->attrs->i[0]);
  int64_t m = nn_shape_size(index);
  size_t row = (size_t)x.inner * nn_dtype_size(c->in_shape[0]->dtype);
  for (int64_t r = from; r < to; r++) {
    int64_t number = nn_index_read(c->in[1], index->dtype, r % m);
    int64_t at = nn_index_place(number, x.n, (int)c->attrs->i[1]);
    char *y = (char *)c->out[0] + (size_t)r * row;
    if (at < 0) memset(y, 0, row);
    else memcpy(y, (const char *)c->in[0] + (size_t)(r / m * x.n + at) * row, row);
  }
}

/* Looks for a number outside before threads start: the first one is named. */
static void check_numbers(nn_call *c, const char *op, int64_t n) {
  const nn_shape *index = c->in_shape[1];
  int base = (int)c->attrs->i[1];
  int64_t m = nn_shape_size(index);
  for (int64_t k = 0; k < m; k++) {
    if (nn_index_place(nn_index_read(c->in[1], index->dtype, k), n, base) >= 0) continue;
    nn_index_fault(c->run, op, c->in[1], index, k, n, base);
    return;
  }
}

static void take_forward(nn_call *c) {
  nn_lines x = nn_lines_of(c->in_shape[0], (int)c->attrs->i[0]);
  int64_t rows = x.outer * nn_shape_size(c->in_shape[1]);
  check_numbers(c, "take", x.n);
  if (rows == 0 || x.inner == 0) return;
  int64_t grain = NN_RANGE / x.inner;
  nn_ranges_run(c->run, rows, grain > 0 ? grain : 1, take_rows, c);
}

static void take_backward(nn_call *c) {
  const nn_shape *index = c->in_shape[1];
  nn_lines x = nn_lines_of(c->in_shape[0], (int)c->attrs->i[0]);
  const nn_kernels *k = nn_kernels_get();
  float *dx = c->din[0];
  int64_t m = nn_shape_size(index);
  if (!dx) return;
  if (!c->accumulate[0]) memset(dx, 0, nn_shape_bytes(c->in_shape[0]));
  for (int64_t r = 0; r < x.outer * m; r++) {
    int64_t number = nn_index_read(c->in[1], index->dtype, r % m);
    int64_t at = nn_index_place(number, x.n, (int)c->attrs->i[1]);
    float *to = dx + (r / m * x.n + at) * x.inner;
    if (at >= 0) k->add(to, to, c->dout[0] + r * x.inner, (size_t)x.inner);
  }
}

const nn_op nn_op_take = {.name = "take", .n_in = 2, .n_out = 1, .shape = take_shape,
                          .forward = take_forward, .backward = take_backward};

/* --- take_along_axis: x (outer, n, inner), index (outer, m, inner) -> (outer, m, inner) ------ */

static nn_status along_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)n_in;
  const nn_shape *x = in[0], *index = in[1];
  char b[160], d[160];
  if (a->i[0] < 0 || a->i[0] >= x->ndim) return nn_axis_fail("take_along_axis", x, a->i[0], e);
  int fits = x->ndim == index->ndim;
  for (int i = 0; fits && i < x->ndim; i++) fits = i == a->i[0] || x->dim[i] == index->dim[i];
  if (!fits)
    return nn_fail(e, NN_ERR_SHAPE,
                   "take_along_axis: indices have shape %s, expected %s but for axis %d",
                   nn_shape_text(index, b, sizeof b), nn_shape_text(x, d, sizeof d),
                   (int)a->i[0] + 1);
  *out = *index;
  out->dtype = x->dtype;
  return NN_OK;
}

/* The place in x of element k of the indices, -1 when the number is outside. */
static int64_t along_place(const nn_call *c, const nn_lines *x, int64_t m, int64_t k) {
  int64_t number = nn_index_read(c->in[1], c->in_shape[1]->dtype, k);
  int64_t at = nn_index_place(number, x->n, (int)c->attrs->i[1]);
  int64_t outer = k / (m * x->inner), inner = k % x->inner;
  return at < 0 ? -1 : (outer * x->n + at) * x->inner + inner;
}

static void along_forward(nn_call *c) {
  nn_lines x = nn_lines_of(c->in_shape[0], (int)c->attrs->i[0]);
  int64_t m = c->in_shape[1]->dim[c->attrs->i[0]], total = nn_shape_size(c->in_shape[1]);
  size_t size = nn_dtype_size(c->in_shape[0]->dtype);
  check_numbers(c, "take_along_axis", x.n);
  for (int64_t k = 0; k < total; k++) {
    int64_t at = along_place(c, &x, m, k);
    char *y = (char *)c->out[0] + (size_t)k * size;
    if (at < 0) memset(y, 0, size);
    else memcpy(y, (const char *)c->in[0] + (size_t)at * size, size);
  }
}

static void along_backward(nn_call *c) {
  nn_lines x = nn_lines_of(c->in_shape[0], (int)c->attrs->i[0]);
  int64_t m = c->in_shape[1]->dim[c->attrs->i[0]], total = nn_shape_size(c->in_shape[1]);
  float *dx = c->din[0];
  if (!dx) return;
  if (!c->accumulate[0]) memset(dx, 0, nn_shape_bytes(c->in_shape[0]));
  for (int64_t k = 0; k < total; k++) {
    int64_t at = along_place(c, &x, m, k);
    if (at >= 0) dx[at] += c->dout[0][k];
  }
}

const nn_op nn_op_take_along_axis = {.name = "take_along_axis", .n_in = 2, .n_out = 1,
                                     .shape = along_shape, .forward = along_forward,
                                     .backward = along_backward};
