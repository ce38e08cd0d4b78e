/* What accuracies count, one number 1 or 0 a row (or an element):
 *   categorical_match  targets (.., C), predictions (.., C): their first maxima stand in one place
 *   sparse_match       class ids (..), predictions (.., C): the first maximum stands at the id
 *   binary_match       targets, predictions of one shape: target = (prediction > attrs.f[0])
 *   in_top_k           class ids (..), predictions (.., C): fewer than attrs.i[0] are larger
 *   (uint8)
 * No gradient.
 */
#include <math.h>

#include "ops/block.h"
#include "ops/ops.h"

static nn_status mismatch(const char *op, const nn_shape *const *in, nn_error *e) {
  char a[160], b[160];
  return nn_fail(e, NN_ERR_SHAPE, "%s: targets %s and predictions %s do not fit", op,
                 nn_shape_text(in[0], a, sizeof a), nn_shape_text(in[1], b, sizeof b));
}

/* The output is the predictions' shape without its last axis. */
static int row_shape(const nn_shape *p, nn_dtype t, nn_shape *out) {
  if (p->ndim < 1 || p->dim[p->ndim - 1] < 1) return 0;
  *out = *p;
  out->ndim--;
  out->dtype = t;
  return 1;
}

static int64_t first_max(const float *x, int64_t n) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (x[i] > x[best]) best = i;
  return best;
}

static int64_t first_max_any(const nn_call *c, int input, int64_t from, int64_t n) {
  const nn_shape *s = c->in_shape[input];
  if (s->dtype == NN_F32) return first_max((const float *)c->in[input] + from, n);
  nn_tensor t = {.shape = *s, .data = c->in[input]};
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (nn_tensor_get(&t, from + i) > nn_tensor_get(&t, from + best)) best = i;
  return best;
}

static int64_t columns(const nn_call *c) { return c->in_shape[1]->dim[c->in_shape[1]->ndim - 1]; }

static nn_status categorical_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                                   nn_shape *out, nn_error *e) {
  (void)a, (void)n_in;
  if (nn_shape_same(in[0], in[1]) && row_shape(in[1], NN_F32, out)) return NN_OK;
  return mismatch("categorical_match", in, e);
}

/* Whether the first maxima of each row stand in one place. */
static void match_floats(float *y, const float *t, const float *p, int64_t m, int64_t n) {
  if (n == 2) {
    for (int64_t i = 0; i < m; i++) y[i] = (t[2 * i + 1] > t[2 * i]) == (p[2 * i + 1] > p[2 * i]);
    return;
  }
  for (int64_t i = 0; i < m; i++) y[i] = first_max(t + i * n, n) == first_max(p + i * n, n);
}

static void categorical_forward(nn_call *c) {
  int64_t n = columns(c), m = nn_shape_size(c->out_shape[0]);
  float *y = c->out[0];
  if (c->in_shape[0]->dtype == NN_F32 && c->in_shape[1]->dtype == NN_F32) {
    match_floats(y, c->in[0], c->in[1], m, n);
    return;
  }
  for (int64_t i = 0; i < m; i++)
    y[i] = first_max_any(c, 0, i * n, n) == first_max_any(c, 1, i * n, n);
}

const nn_op nn_op_categorical_match = {.name = "categorical_match", .n_in = 2, .n_out = 1,
                                       .shape = categorical_shape, .forward = categorical_forward};

static nn_status ids_shape(const char *op, nn_dtype t, const nn_shape *const *in, nn_shape *out,
                           nn_error *e) {
  if (row_shape(in[1], t, out) && nn_shape_size(in[0]) == nn_shape_size(out)) return NN_OK;
  return mismatch(op, in, e);
}

static nn_status sparse_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                              nn_shape *out, nn_error *e) {
  (void)a, (void)n_in;
  return ids_shape("sparse_match", NN_F32, in, out, e);
}

static void match_ids(float *y, const int32_t *id, const float *p, int64_t m, int64_t n) {
  static const float one_if[2] = {0, 1}; /* without a branch, for labels are random */
  if (n == 2)
    for (int64_t i = 0; i < m; i++) y[i] = one_if[id[i] == (p[2 * i + 1] > p[2 * i])];
  else
    for (int64_t i = 0; i < m; i++) y[i] = id[i] == first_max(p + i * n, n);
}

static void sparse_forward(nn_call *c) {
  int64_t n = columns(c), m = nn_shape_size(c->out_shape[0]);
  float *y = c->out[0];
  if (c->in_shape[0]->dtype == NN_I32 && c->in_shape[1]->dtype == NN_F32) {
    match_ids(y, c->in[0], c->in[1], m, n);
    return;
  }
  for (int64_t i = 0; i < m; i++)
    y[i] = nn_element(c->in[0], c->in_shape[0]->dtype, i) == (double)first_max_any(c, 1, i * n, n);
}

const nn_op nn_op_sparse_match = {.name = "sparse_match", .n_in = 2, .n_out = 1,
                                  .shape = sparse_shape, .forward = sparse_forward};

static nn_status binary_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                              nn_shape *out, nn_error *e) {
  (void)a, (void)n_in;
  if (!nn_shape_same(in[0], in[1])) return mismatch("binary_match", in, e);
  return nn_shape_keep(in[1], NN_F32, out);
}

static void binary_forward(nn_call *c) {
  float *y = c->out[0], limit = (float)c->attrs->f[0], t_buf[NN_BLOCK], p_buf[NN_BLOCK];
  int64_t size = nn_shape_size(c->out_shape[0]);
  for (int64_t at = 0; at < size; at += NN_BLOCK) {
    int64_t n = size - at < NN_BLOCK ? size - at : NN_BLOCK;
    const float *t = nn_array_f32(c->in[0], c->in_shape[0]->dtype, at, n, t_buf);
    const float *p = nn_array_f32(c->in[1], c->in_shape[1]->dtype, at, n, p_buf);
    for (int64_t i = 0; i < n; i++) y[at + i] = t[i] == (float)(p[i] > limit);
  }
}

const nn_op nn_op_binary_match = {.name = "binary_match", .n_in = 2, .n_out = 1,
                                  .shape = binary_shape, .forward = binary_forward};

static nn_status top_k_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)n_in;
  if (a->i[0] < 1)
    return nn_fail(e, NN_ERR_ARGUMENT, "in_top_k: k is %d, expected an integer above 0",
                   (int)a->i[0]);
  if (in[1]->dtype != NN_F32)
    return nn_fail(e, NN_ERR_SHAPE, "in_top_k: predictions of %s, expected float32",
                   nn_dtype_name(in[1]->dtype));
  return ids_shape("in_top_k", NN_U8, in, out, e);
}

/* A target outside the classes, or one whose prediction is not finite, is never in. */
static int is_in_top(const float *p, int64_t n, double id, int64_t k) {
  if (!(id >= 0 && id < (double)n)) return 0;
  float own = p[(int64_t)id];
  int64_t larger = 0;
  if (!isfinite(own)) return 0;
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(p[i])) return 0;
    larger += p[i] > own;
  }
  return larger < k;
}

static void top_k_forward(nn_call *c) {
  int64_t n = columns(c), m = nn_shape_size(c->out_shape[0]);
  nn_tensor ids = {.shape = *c->in_shape[0], .data = c->in[0]};
  uint8_t *y = c->out[0];
  for (int64_t i = 0; i < m; i++)
    y[i] = (uint8_t)is_in_top((const float *)c->in[1] + i * n, n, nn_tensor_get(&ids, i),
                              c->attrs->i[0]);
}

const nn_op nn_op_in_top_k = {.name = "in_top_k", .n_in = 2, .n_out = 1, .shape = top_k_shape,
                              .forward = top_k_forward};
