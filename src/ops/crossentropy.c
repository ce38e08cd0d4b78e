/* The cross-entropies of logits, fused: stable at any size of the logits, cheap for small rows.
 *
 *   softmax_crossentropy         logits (.., C), targets (.., C) -> (..):  sum_j t_j (-log p_j)
 *   sparse_softmax_crossentropy  logits (.., C), class ids (..)  -> (..):  -log p_id
 *                                attrs.i[0] 1: rows of class attrs.i[1] give 0
 *   sigmoid_crossentropy         logits, targets of one shape: [z]+ - z t + log(1 + exp(-|z|))
 *
 * The first two keep log p; backward dz = (p sum(t) - t) dl. The third: dz = (sigmoid(z) - t) dl.
 */
#include <math.h>
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"

static nn_status mismatch(const char *op, const nn_shape *const *in, nn_error *e) {
  char a[160], b[160];
  return nn_fail(e, NN_ERR_SHAPE, "%s: logits %s and targets %s do not fit", op,
                 nn_shape_text(in[0], a, sizeof a), nn_shape_text(in[1], b, sizeof b));
}

static void drop_last(const nn_shape *in, nn_shape *out) {
  *out = *in;
  out->ndim--;
  out->dtype = NN_F32;
}

static int is_logits(const nn_shape *s) {
  return s->dtype == NN_F32 && s->ndim > 0 && s->dim[s->ndim - 1] > 0;
}

static size_t log_p_bytes(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)a, (void)n_in;
  return nn_shape_bytes(in[0]);
}

static size_t targets_bytes(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)a, (void)n_in;
  return nn_input_f32_bytes(in[1]);
}

typedef struct rows {
  int64_t m, n;
} rows;

static rows rows_of(const nn_call *c) {
  rows r = {nn_shape_size(c->out_shape[0]), c->in_shape[0]->dim[c->in_shape[0]->ndim - 1]};
  return r;
}

/* t * log_p, and 0 where t is 0 even against log 0; labels are random, so without a branch. */
static inline float zero_safe(float t, float log_p) {
  uint32_t bits, keep;
  float product = t * log_p;
  memcpy(&bits, &product, sizeof bits);
  memcpy(&keep, &t, sizeof keep);
  bits &= 0U - (uint32_t)((keep << 1) != 0);
  memcpy(&product, &bits, sizeof bits);
  return product;
}

static float zero_safe_dot(const float *t, const float *log_p, int64_t n) {
  float sum = 0;
  for (int64_t j = 0; j < n; j++) sum += zero_safe(t[j], log_p[j]);
  return sum;
}

/* --- probabilities as targets -------------------------------------------------------------- */

static nn_status dense_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)a, (void)n_in;
  if (!is_logits(in[0]) || !nn_shape_same(in[0], in[1]))
    return mismatch("softmax_crossentropy", in, e);
  drop_last(in[0], out);
  return NN_OK;
}

/* loss = -(t0 log p0 + t1 log p1) */
static void two_classes(float *loss, const float *t, const float *log_p, int64_t m) {
  for (int64_t i = 0; i < m; i++)
    loss[i] = -(zero_safe(t[2 * i], log_p[2 * i]) + zero_safe(t[2 * i + 1], log_p[2 * i + 1]));
}

static void dense_forward(nn_call *c) {
  const nn_kernels *k = nn_kernels_get();
  rows r = rows_of(c);
  const float *t = nn_input_f32(c, 1, c->scratch);
  float *log_p = c->saved, *loss = c->out[0];
  k->log_softmax(log_p, c->in[0], (size_t)r.m, (size_t)r.n);
  if (r.n == 2) {
    two_classes(loss, t, log_p, r.m);
    return;
  }
  for (int64_t i = 0; i < r.m; i++, t += r.n, log_p += r.n) {
    float sum = r.n > 16 ? k->dot(t, log_p, (size_t)r.n) : NAN;
    if (isnan(sum)) sum = zero_safe_dot(t, log_p, r.n); /* short, or 0 times infinity */
    loss[i] = -sum;
  }
}

/* dz (+)= (p sum(t) - t) dl of one row; g holds p. */
static void dense_row(float *dz, const float *g, const float *t, float dl, int acc, int64_t n) {
  float total = 0;
  for (int64_t j = 0; j < n; j++) total += t[j];
  if (acc)
    for (int64_t j = 0; j < n; j++) dz[j] += (g[j] * total - t[j]) * dl;
  else
    for (int64_t j = 0; j < n; j++) dz[j] = (g[j] * total - t[j]) * dl;
}

static void targets_backward(const nn_call *c, rows r) {
  const float *log_p = c->saved;
  for (int64_t i = 0; i < r.m; i++)
    for (int64_t j = 0; j < r.n; j++) {
      float g = -log_p[i * r.n + j] * c->dout[0][i], *to = c->din[1] + i * r.n + j;
      *to = c->accumulate[1] ? *to + g : g;
    }
}

/* How many whole rows a block of p holds; rows longer than a block are taken in parts. */
static int64_t rows_a_block(int64_t n) { return n >= NN_BLOCK ? 1 : NN_BLOCK / n; }

static void long_row(float *dz, const float *log_p, const float *t, float dl, int acc, int64_t n) {
  const nn_kernels *k = nn_kernels_get();
  float p[NN_BLOCK], total = k->sum(t, (size_t)n);
  for (int64_t j = 0; j < n; j++) {
    if (j % NN_BLOCK == 0) k->exp(p, log_p + j, (size_t)(n - j < NN_BLOCK ? n - j : NN_BLOCK));
    float g = (p[j % NN_BLOCK] * total - t[j]) * dl;
    dz[j] = acc ? dz[j] + g : g;
  }
}

static void dense_backward(nn_call *c) {
  rows r = rows_of(c);
  const float *t = nn_input_f32(c, 1, c->scratch), *log_p = c->saved, *dl = c->dout[0];
  float p[NN_BLOCK], *dz = c->din[0];
  if (c->din[1]) targets_backward(c, r);
  if (!dz) return;
  int64_t step = rows_a_block(r.n);
  for (int64_t i = 0; i < r.m; i += step) {
    if (r.n > NN_BLOCK) {
      long_row(dz + i * r.n, log_p + i * r.n, t + i * r.n, dl[i], c->accumulate[0], r.n);
      continue;
    }
    int64_t m = r.m - i < step ? r.m - i : step;
    nn_kernels_get()->exp(p, log_p + i * r.n, (size_t)(m * r.n));
    for (int64_t j = 0; j < m; j++)
      dense_row(dz + (i + j) * r.n, p + j * r.n, t + (i + j) * r.n, dl[i + j], c->accumulate[0],
                r.n);
  }
}

const nn_op nn_op_softmax_crossentropy = {
    .name = "softmax_crossentropy", .n_in = 2, .n_out = 1, .shape = dense_shape,
    .forward = dense_forward, .backward = dense_backward, .saved = log_p_bytes,
    .scratch = targets_bytes};

/* --- class ids as targets ------------------------------------------------------------------ */

static nn_status sparse_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                              nn_shape *out, nn_error *e) {
  (void)a, (void)n_in;
  if (!is_logits(in[0])) return mismatch("sparse_softmax_crossentropy", in, e);
  drop_last(in[0], out);
  if (nn_shape_size(in[1]) != nn_shape_size(out))
    return mismatch("sparse_softmax_crossentropy", in, e);
  return NN_OK;
}

/* The class of row i, -1 when the row is ignored or its id is out of range. */
static int64_t class_at(const nn_call *c, int64_t i, int64_t n, int report) {
  nn_tensor t = {.shape = *c->in_shape[1], .data = c->in[1]};
  double id = nn_tensor_get(&t, i);
  if (c->attrs->i[0] && id == (double)c->attrs->i[1]) return -1;
  if (id >= 0 && id < (double)n) return (int64_t)id;
  if (report)
    nn_fault(c->run, "sparse_categorical_crossentropy: class id %g in row %lld, expected 0 to %lld",
             id, (long long)(i + 1), (long long)(n - 1));
  return -1;
}

static void sparse_forward(nn_call *c) {
  rows r = rows_of(c);
  float *log_p = c->saved, *loss = c->out[0];
  nn_kernels_get()->log_softmax(log_p, c->in[0], (size_t)r.m, (size_t)r.n);
  for (int64_t i = 0; i < r.m; i++) {
    int64_t id = class_at(c, i, r.n, 1);
    loss[i] = id < 0 ? 0 : -log_p[i * r.n + id];
  }
}

static void sparse_row(float *dz, const float *log_p, int64_t id, float dl, int acc, int64_t n) {
  const nn_kernels *k = nn_kernels_get();
  float p[NN_BLOCK];
  if (id < 0) dl = 0;
  for (int64_t j = 0; j < n; j += NN_BLOCK) {
    int64_t w = n - j < NN_BLOCK ? n - j : NN_BLOCK;
    k->exp(p, log_p + j, (size_t)w);
    if (id >= j && id < j + w) p[id - j] -= 1;
    k->mul_scalar(p, p, dl, (size_t)w);
    nn_put(dz + j, p, acc, w);
  }
}

static void sparse_backward(nn_call *c) {
  rows r = rows_of(c);
  const float *log_p = c->saved;
  if (!c->din[0]) return;
  for (int64_t i = 0; i < r.m; i++)
    sparse_row(c->din[0] + i * r.n, log_p + i * r.n, class_at(c, i, r.n, 0), c->dout[0][i],
               c->accumulate[0], r.n);
}

const nn_op nn_op_sparse_softmax_crossentropy = {
    .name = "sparse_softmax_crossentropy", .n_in = 2, .n_out = 1, .shape = sparse_shape,
    .forward = sparse_forward, .backward = sparse_backward, .saved = log_p_bytes};

/* --- one logit an element ------------------------------------------------------------------ */

static nn_status sigmoid_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                               nn_shape *out, nn_error *e) {
  (void)a, (void)n_in;
  if (in[0]->dtype != NN_F32 || !nn_shape_same(in[0], in[1]))
    return mismatch("sigmoid_crossentropy", in, e);
  return nn_shape_keep(in[0], NN_F32, out);
}

static void sigmoid_forward(nn_call *c) {
  const nn_kernels *k = nn_kernels_get();
  const float *z = c->in[0];
  float *loss = c->out[0], buf[NN_BLOCK], a[NN_BLOCK], b[NN_BLOCK], g[NN_BLOCK];
  int64_t size = nn_shape_size(c->out_shape[0]);
  for (int64_t at = 0; at < size; at += NN_BLOCK) {
    int64_t left = size - at < NN_BLOCK ? size - at : NN_BLOCK;
    size_t n = (size_t)left;
    const float *t = nn_array_f32(c->in[1], c->in_shape[1]->dtype, at, left, buf);
    k->abs(a, z + at, n);
    k->neg(a, a, n);
    k->exp(a, a, n);
    k->log1p(a, a, n);
    k->relu(b, z + at, n);
    k->mul(g, z + at, t, n);
    k->sub(b, b, g, n); /* before the small term, whose digits count where [z]+ = z t */
    k->add(loss + at, b, a, n);
  }
}

static void sigmoid_backward(nn_call *c) {
  const nn_kernels *k = nn_kernels_get();
  const float *z = c->in[0], *dl = c->dout[0];
  float buf[NN_BLOCK], g[NN_BLOCK];
  int64_t size = nn_shape_size(c->out_shape[0]);
  for (int64_t at = 0; at < size; at += NN_BLOCK) {
    int64_t left = size - at < NN_BLOCK ? size - at : NN_BLOCK;
    size_t n = (size_t)left;
    if (c->din[0]) {
      k->sigmoid(g, z + at, n);
      k->sub(g, g, nn_array_f32(c->in[1], c->in_shape[1]->dtype, at, left, buf), n);
      k->mul(g, g, dl + at, n);
      nn_put(c->din[0] + at, g, c->accumulate[0], left);
    }
    if (c->din[1]) {
      k->mul(g, z + at, dl + at, n);
      k->neg(g, g, n);
      nn_put(c->din[1] + at, g, c->accumulate[1], left);
    }
  }
}

const nn_op nn_op_sigmoid_crossentropy = {.name = "sigmoid_crossentropy", .n_in = 2, .n_out = 1,
                                          .shape = sigmoid_shape, .forward = sigmoid_forward,
                                          .backward = sigmoid_backward};
