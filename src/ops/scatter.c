/* scatter: x with elements or blocks replaced. Inputs: x, indices (m..., k), updates (m..., rest):
 * each row of k numbers names an element (k = ndim of x) or a block of x.
 * attrs.i = {how, base}; how: 0 put, 1 add, 2 max, 3 min, 4 multiply. Rows are done in their order.
 *
 * Gradients (put and add; nothing flows through the others): x gets dy, without the replaced places
 * when they were put; an update gets dy of its place, if no later update replaced it.
 */
#include <string.h>

#include "ops/index.h"
#include "ops/ops.h"

enum { PUT, ADD, MAX, MIN, MULTIPLY };

static nn_status shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                       nn_error *e) {
  (void)a, (void)n_in;
  const nn_shape *x = in[0], *index = in[1], *update = in[2];
  char b[160], d[160];
  int64_t k = index->ndim ? index->dim[index->ndim - 1] : 0;
  if (k < 1 || k > x->ndim)
    return nn_fail(e, NN_ERR_SHAPE, "scatter: indices have shape %s, expected rows of 1 to %d",
                   nn_shape_text(index, b, sizeof b), x->ndim);
  nn_shape want = {.dtype = x->dtype};
  int fits = index->ndim - 1 + x->ndim - k <= NN_MAX_DIMS;
  for (int i = 0; fits && i < index->ndim - 1; i++) want.dim[want.ndim++] = index->dim[i];
  for (int64_t i = k; fits && i < x->ndim; i++) want.dim[want.ndim++] = x->dim[i];
  if (!fits || !nn_shape_same(&want, update))
    return nn_fail(e, NN_ERR_SHAPE, "scatter: updates have shape %s, expected %s",
                   nn_shape_text(update, b, sizeof b), nn_shape_text(&want, d, sizeof d));
  if (update->dtype != x->dtype)
    return nn_fail(e, NN_ERR_SHAPE, "scatter: updates are %s, expected %s",
                   nn_dtype_name(update->dtype), nn_dtype_name(x->dtype));
  *out = *x;
  return NN_OK;
}

/* What the passes share. */
typedef struct sizes {
  int64_t k, rows, block;
} sizes;

static sizes sizes_of(const nn_call *c) {
  const nn_shape *x = c->in_shape[0], *index = c->in_shape[1];
  sizes s = {.k = index->dim[index->ndim - 1], .rows = 1, .block = 1};
  for (int i = 0; i < index->ndim - 1; i++) s.rows *= index->dim[i];
  for (int i = (int)s.k; i < x->ndim; i++) s.block *= x->dim[i];
  return s;
}

/* First element of x that row r names, -1 when it is outside. `fault` reports that. */
static int64_t place_of(const nn_call *c, const sizes *s, int64_t r, int fault) {
  const nn_shape *x = c->in_shape[0], *index = c->in_shape[1];
  int base = (int)c->attrs->i[1];
  int64_t at = 0;
  for (int i = 0; i < s->k; i++) {
    int64_t number = nn_index_read(c->in[1], index->dtype, r * s->k + i);
    int64_t p = nn_index_place(number, x->dim[i], base);
    if (p < 0) {
      if (fault)
        nn_index_fault(c->run, "scatter", c->in[1], index, r * s->k + i, x->dim[i], base);
      return -1;
    }
    at = at * x->dim[i] + p;
  }
  return at * s->block;
}

#define JOIN(name, type)                                                          \
  static void name(type *y, const type *u, int64_t n, int64_t how) {              \
    for (int64_t i = 0; i < n; i++) {                                             \
      if (how == ADD) y[i] = (type)(y[i] + u[i]);                                 \
      else if (how == MAX) y[i] = u[i] > y[i] ? u[i] : y[i];                      \
      else if (how == MIN) y[i] = u[i] < y[i] ? u[i] : y[i];                      \
      else if (how == MULTIPLY) y[i] = (type)(y[i] * u[i]);                       \
      else y[i] = u[i];                                                           \
    }                                                                             \
  }
JOIN(join_f32, float)
JOIN(join_i32, int32_t)
JOIN(join_u8, uint8_t)

static void forward(nn_call *c) {
  sizes s = sizes_of(c);
  int64_t how = c->attrs->i[0];
  memcpy(c->out[0], c->in[0], nn_shape_bytes(c->in_shape[0]));
  for (int64_t r = 0; r < s.rows; r++) {
    int64_t at = place_of(c, &s, r, 1), from = r * s.block;
    if (at < 0) continue;
    if (c->out_shape[0]->dtype == NN_F32)
      join_f32((float *)c->out[0] + at, (const float *)c->in[2] + from, s.block, how);
    else if (c->out_shape[0]->dtype == NN_I32)
      join_i32((int32_t *)c->out[0] + at, (const int32_t *)c->in[2] + from, s.block, how);
    else
      join_u8((uint8_t *)c->out[0] + at, (const uint8_t *)c->in[2] + from, s.block, how);
  }
}

/* Scratch: dy, with places set to 0 once an update (from the last to the first) took them. */
static size_t scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  return a->i[0] == PUT || a->i[0] == ADD ? nn_shape_bytes(in[0]) : 0;
}

static void give(float *dst, const float *src, int acc, int64_t n) {
  if (acc) nn_kernels_get()->add(dst, dst, src, (size_t)n);
  else memcpy(dst, src, (size_t)n * sizeof(float));
}

static void give_nothing(nn_call *c) {
  for (int k = 0; k < 3; k += 2)
    if (c->din[k] && !c->accumulate[k]) memset(c->din[k], 0, nn_shape_bytes(c->in_shape[k]));
}

static void backward(nn_call *c) {
  sizes s = sizes_of(c);
  if (c->attrs->i[0] != PUT && c->attrs->i[0] != ADD) {
    give_nothing(c);
    return;
  }
  float *left = c->scratch;
  memcpy(left, c->dout[0], nn_shape_bytes(c->out_shape[0]));
  if (c->din[2] && !c->accumulate[2]) memset(c->din[2], 0, nn_shape_bytes(c->in_shape[2]));
  for (int64_t r = s.rows - 1; r >= 0; r--) {
    int64_t at = place_of(c, &s, r, 0);
    if (at < 0) continue;
    if (c->din[2]) give(c->din[2] + r * s.block, left + at, 1, s.block);
    if (c->attrs->i[0] == PUT) memset(left + at, 0, (size_t)s.block * sizeof(float));
  }
  if (c->din[0]) give(c->din[0], left, c->accumulate[0], nn_shape_size(c->in_shape[0]));
}

const nn_op nn_op_scatter = {.name = "scatter", .n_in = 3, .n_out = 1, .shape = shape,
                             .forward = forward, .backward = backward, .scratch = scratch};
