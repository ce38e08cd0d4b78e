/* The cross-entropies of logits, fused: stable at any size of the logits, cheap for small rows.
 *
 *   softmax_crossentropy         logits (.., C), targets (.., C) -> (..):  sum_j t_j (-log p_j)
 *   sparse_softmax_crossentropy  logits (.., C), class ids (..)  -> (..):  -log p_id
 *                                attrs.i[0] 1: rows of class attrs.i[1] give 0
 *   sigmoid_crossentropy         logits, targets of one shape: [z]+ - z t + log(1 + exp(-|z|))
 *
 * The first two keep p; backward dz = (p sum(t) - t) dl. The third: dz = (sigmoid(z) - t) dl.
 * With s = z - max(z): -log p = log(sum(exp(s))) - s. Short rows lie side by side in a block, so
 * that the exponentials of all are one call.
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

static size_t p_bytes(const nn_attrs *a, int n_in, const nn_shape *const *in) {
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

/* t * v, and 0 where t is 0 even against infinity; labels are random, so without a branch. */
static inline float zero_safe(float t, float v) {
  uint32_t bits, keep;
  float product = t * v;
  memcpy(&bits, &product, sizeof bits);
  memcpy(&keep, &t, sizeof keep);
  bits &= 0U - (uint32_t)((keep << 1) != 0);
  memcpy(&product, &bits, sizeof bits);
  return product;
}

enum { SHORT = 16 }; /* classes; a block holds NN_BLOCK / n such rows */

/* s = z - max of the row, for m rows. */
static void shift_rows(float *s, const float *z, int64_t m, int64_t n) {
  for (int64_t i = 0; i < m; i++) {
    float top = z[i * n];
    for (int64_t j = 1; j < n; j++) top = z[i * n + j] > top ? z[i * n + j] : top;
    for (int64_t j = 0; j < n; j++) s[i * n + j] = z[i * n + j] - top;
  }
}

static void sum_short(float *sum, const float *p, int64_t m, int64_t n) {
  for (int64_t i = 0; i < m; i++) {
    float total = p[i * n];
    for (int64_t j = 1; j < n; j++) total += p[i * n + j];
    sum[i] = total;
  }
}

/* s, p and log(sum(exp(s))) of m short rows. The narrowest have a kernel that gives log p: as s,
 * with sums of 1. */
static void short_rows(float *s, float *p, float *log_sum, const float *z, int64_t m, int64_t n) {
  const nn_kernels *k = nn_kernels_get();
  float inv[NN_BLOCK];
  if (n <= 8) {
    k->log_softmax(s, z, (size_t)m, (size_t)n);
    k->exp(p, s, (size_t)(m * n));
    memset(log_sum, 0, (size_t)m * sizeof *log_sum);
    return;
  }
  shift_rows(s, z, m, n);
  k->exp(p, s, (size_t)(m * n));
  sum_short(log_sum, p, m, n);
  k->reciprocal(inv, log_sum, (size_t)m);
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) p[i * n + j] *= inv[i];
  k->log(log_sum, log_sum, (size_t)m);
}

/* The same of one long row, whose s goes to p's place first; gives log(sum(exp(s))) and the top. */
static float long_row(float *p, const float *z, float *top, int64_t n) {
  const nn_kernels *k = nn_kernels_get();
  *top = k->max_value(z, (size_t)n);
  k->add_scalar(p, z, -*top, (size_t)n);
  k->exp(p, p, (size_t)n);
  float sum = (float)nn_sum_all(p, n), log_sum = sum;
  k->mul_scalar(p, p, 1 / sum, (size_t)n);
  k->log(&log_sum, &log_sum, 1);
  return log_sum;
}

static int64_t rows_a_block(int64_t n) { return NN_BLOCK / n; }

/* --- probabilities as targets -------------------------------------------------------------- */

static nn_status dense_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)a, (void)n_in;
  if (!is_logits(in[0]) || !nn_shape_same(in[0], in[1]))
    return mismatch("softmax_crossentropy", in, e);
  drop_last(in[0], out);
  return NN_OK;
}

static void losses_of_rows(float *loss, const float *t, const float *s, const float *log_sum,
                           int64_t m, int64_t n) {
  for (int64_t i = 0; i < m; i++) {
    float sum = 0;
    for (int64_t j = 0; j < n; j++) sum += zero_safe(t[i * n + j], log_sum[i] - s[i * n + j]);
    loss[i] = sum;
  }
}

static void short_forward(const nn_call *c, rows r, const float *t) {
  float s[NN_BLOCK], log_sum[NN_BLOCK], *p = c->saved, *loss = c->out[0];
  const float *z = c->in[0];
  int64_t step = rows_a_block(r.n);
  for (int64_t i = 0; i < r.m; i += step) {
    int64_t m = r.m - i < step ? r.m - i : step, at = i * r.n;
    short_rows(s, p + at, log_sum, z + at, m, r.n);
    losses_of_rows(loss + i, t + at, s, log_sum, m, r.n);
  }
}

/* sum of t (log_sum - (z - top)) */
static float long_loss(const float *t, const float *z, float top, float log_sum, int64_t n) {
  const nn_kernels *k = nn_kernels_get();
  float s[NN_BLOCK];
  double sum = 0;
  for (int64_t at = 0; at < n; at += NN_BLOCK) {
    size_t w = (size_t)(n - at < NN_BLOCK ? n - at : NN_BLOCK);
    k->add_scalar(s, z + at, -top, w);
    k->add_scalar(s, s, -log_sum, w);
    float part = k->dot(t + at, s, w);
    if (isnan(part)) { /* 0 times infinity? */
      part = 0;
      for (size_t j = 0; j < w; j++)
        if (t[at + (int64_t)j] != 0) part += t[at + (int64_t)j] * s[j];
    }
    sum -= part;
  }
  return (float)sum;
}

typedef struct job {
  const nn_call *c;
  rows r;
  const float *t;
} job;

static void long_forward(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  float top, *p = j->c->saved, *loss = j->c->out[0];
  const float *z = j->c->in[0];
  for (int64_t i = from; i < to; i++) {
    int64_t at = i * j->r.n;
    float log_sum = long_row(p + at, z + at, &top, j->r.n);
    loss[i] = long_loss(j->t + at, z + at, top, log_sum, j->r.n);
  }
}

static int64_t grain(rows r) { return 1 + NN_RANGE / r.n; }

static void dense_forward(nn_call *c) {
  job j = {c, rows_of(c), nn_input_f32(c, 1, c->scratch)};
  if (j.r.n == 2)
    nn_kernels_get()->crossentropy_pairs(c->out[0], c->saved, c->in[0], j.t, (size_t)j.r.m);
  else if (j.r.n <= SHORT)
    short_forward(c, j.r, j.t);
  else
    nn_ranges_run(c->run, j.r.m, grain(j.r), long_forward, &j);
}

/* dz (+)= (p sum(t) - t) dl */
static void short_backward(float *dz, const float *p, const float *t, const float *dl, int acc,
                           int64_t m, int64_t n) {
  for (int64_t i = 0; i < m; i++) {
    float total = 0;
    for (int64_t j = 0; j < n; j++) total += t[i * n + j];
    for (int64_t j = 0; j < n; j++) {
      int64_t at = i * n + j;
      float g = (p[at] * total - t[at]) * dl[i];
      dz[at] = acc ? dz[at] + g : g;
    }
  }
}

static void long_backward(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  const nn_kernels *k = nn_kernels_get();
  const float *p = j->c->saved;
  float g[NN_BLOCK], u[NN_BLOCK];
  for (int64_t i = from; i < to; i++) {
    float total = (float)nn_sum_all(j->t + i * j->r.n, j->r.n), dl = j->c->dout[0][i];
    for (int64_t b = 0; b < j->r.n; b += NN_BLOCK) {
      int64_t w = j->r.n - b < NN_BLOCK ? j->r.n - b : NN_BLOCK, at = i * j->r.n + b;
      k->mul_scalar(g, p + at, total, (size_t)w);
      k->sub(u, g, j->t + at, (size_t)w);
      k->mul_scalar(g, u, dl, (size_t)w);
      nn_put(j->c->din[0] + at, g, j->c->accumulate[0], w);
    }
  }
}

static void targets_backward(const nn_call *c, rows r) {
  const nn_kernels *k = nn_kernels_get();
  float line[NN_BLOCK], *dt = c->din[1];
  for (int64_t i = 0; i < r.m; i++) {
    const float *z = (const float *)c->in[0] + i * r.n;
    float top = k->max_value(z, (size_t)r.n);
    double sum = 0;
    for (int64_t b = 0; b < r.n; b += NN_BLOCK) {
      int64_t w = r.n - b < NN_BLOCK ? r.n - b : NN_BLOCK;
      k->add_scalar(line, z + b, -top, (size_t)w);
      k->exp(line, line, (size_t)w);
      sum += k->sum(line, (size_t)w);
    }
    float log_sum = (float)sum;
    k->log(&log_sum, &log_sum, 1);
    for (int64_t j = 0; j < r.n; j++) {
      float g = (log_sum - (z[j] - top)) * c->dout[0][i], *to = dt + i * r.n + j;
      *to = c->accumulate[1] ? *to + g : g;
    }
  }
}

static void dense_backward(nn_call *c) {
  job j = {c, rows_of(c), nn_input_f32(c, 1, c->scratch)};
  const rows r = j.r;
  int acc = c->accumulate[0];
  if (c->din[1]) targets_backward(c, r);
  if (!c->din[0]) return;
  if (r.n > SHORT)
    nn_ranges_run(c->run, r.m, grain(r), long_backward, &j);
  else if (r.n == 2 && !acc)
    nn_kernels_get()->crossentropy_pairs_grad(c->din[0], c->saved, j.t, c->dout[0], (size_t)r.m);
  else
    short_backward(c->din[0], c->saved, j.t, c->dout[0], acc, r.m, r.n);
}

const nn_op nn_op_softmax_crossentropy = {
    .name = "softmax_crossentropy", .n_in = 2, .n_out = 1, .shape = dense_shape,
    .forward = dense_forward, .backward = dense_backward, .saved = p_bytes,
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

/* Saved: p, the rows' classes, and those of two classes once more as targets. */
static size_t sparse_bytes(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)a, (void)n_in;
  size_t n = (size_t)in[0]->dim[in[0]->ndim - 1], m = nn_shape_bytes(in[0]) / (n * sizeof(float));
  return nn_shape_bytes(in[0]) + m * (sizeof(int32_t) + (n == 2 ? 2 * sizeof(float) : 0));
}

static int32_t *classes_of(const nn_call *c, rows r) {
  return (int32_t *)(void *)((float *)c->saved + r.m * r.n);
}

static float *pairs_of(const nn_call *c, rows r) {
  return (float *)(void *)(classes_of(c, r) + r.m);
}

/* The class of row i, -1 when the row is ignored or its id is out of range. */
static int32_t class_at(const nn_call *c, int64_t i, double id, int64_t n) {
  if (c->attrs->i[0] && id == (double)c->attrs->i[1]) return -1;
  if (id >= 0 && id < (double)n) return (int32_t)id;
  nn_fault(c->run, "sparse_categorical_crossentropy: class id %g in row %lld, expected 0 to %lld",
           id, (long long)i + 1, (long long)n - 1);
  return -1;
}

static void read_classes(const nn_call *c, rows r, int32_t *class) {
  const nn_dtype type = c->in_shape[1]->dtype;
  if (type != NN_I32 || c->attrs->i[0]) {
    for (int64_t i = 0; i < r.m; i++)
      class[i] = class_at(c, i, nn_element(c->in[1], type, i), r.n);
    return;
  }
  const int32_t *id = c->in[1];
  for (int64_t i = 0; i < r.m; i++)
    class[i] = (uint32_t)id[i] < r.n ? id[i] : class_at(c, i, id[i], r.n);
}

/* Labels are random, so targets come from a table instead of a branch. */
static void sparse_pairs(nn_call *c, rows r, const int32_t *class) {
  static const float targets[3][2] = {{0, 0}, {1, 0}, {0, 1}}; /* of classes -1, 0, 1 */
  float *t = pairs_of(c, r);
  for (int64_t i = 0; i < r.m; i++) memcpy(t + 2 * i, targets[class[i] + 1], sizeof *targets);
  nn_kernels_get()->crossentropy_pairs(c->out[0], c->saved, c->in[0], t, (size_t)r.m);
}

/* log p of the row's class, from s and log(sum(exp(s))). */
static void sparse_forward(nn_call *c) {
  rows r = rows_of(c);
  float s[NN_BLOCK], log_sum[NN_BLOCK], *p = c->saved, *loss = c->out[0], top = 0;
  const float *z = c->in[0];
  int32_t *class = classes_of(c, r);
  int64_t step = r.n <= SHORT ? rows_a_block(r.n) : 1;
  read_classes(c, r, class);
  if (r.n == 2) {
    sparse_pairs(c, r, class);
    return;
  }
  for (int64_t i = 0; i < r.m; i += step) {
    int64_t m = r.m - i < step ? r.m - i : step;
    if (r.n <= SHORT)
      short_rows(s, p + i * r.n, log_sum, z + i * r.n, m, r.n);
    else
      log_sum[0] = long_row(p + i * r.n, z + i * r.n, &top, r.n);
    /* NOLINTBEGIN(clang-analyzer-core.UndefinedBinaryOperatorResult): short_rows fills m rows */
    for (int64_t j = 0; j < m; j++) {
      int64_t id = class[i + j];
      float own = id < 0 ? 0 : r.n <= SHORT ? s[j * r.n + id] : z[i * r.n + id] - top;
      loss[i + j] = id < 0 ? 0 : log_sum[j] - own;
    }
    /* NOLINTEND(clang-analyzer-core.UndefinedBinaryOperatorResult) */
  }
}

static void sparse_short_row(float *dz, const float *p, int64_t id, float dl, int acc, int64_t n) {
  for (int64_t j = 0; j < n; j++) {
    float g = (p[j] - (float)(j == id)) * dl;
    dz[j] = acc ? dz[j] + g : g;
  }
}

static void sparse_backward(nn_call *c) {
  rows r = rows_of(c);
  const float *p = c->saved;
  float *dz = c->din[0], g[NN_BLOCK];
  const int32_t *class = classes_of(c, r);
  if (!dz) return;
  if (r.n == 2 && !c->accumulate[0]) {
    nn_kernels_get()->crossentropy_pairs_grad(dz, p, pairs_of(c, r), c->dout[0], (size_t)r.m);
    return;
  }
  for (int64_t i = 0; i < r.m; i++) {
    int64_t id = class[i];
    float dl = id < 0 ? 0 : c->dout[0][i];
    if (r.n <= SHORT) {
      sparse_short_row(dz + i * r.n, p + i * r.n, id, dl, c->accumulate[0], r.n);
      continue;
    }
    for (int64_t b = 0; b < r.n; b += NN_BLOCK) {
      int64_t w = r.n - b < NN_BLOCK ? r.n - b : NN_BLOCK, at = i * r.n + b;
      nn_kernels_get()->mul_scalar(g, p + at, dl, (size_t)w);
      if (id >= b && id < b + w) g[id - b] -= dl;
      nn_put(dz + at, g, c->accumulate[0], w);
    }
  }
}

const nn_op nn_op_sparse_softmax_crossentropy = {
    .name = "sparse_softmax_crossentropy", .n_in = 2, .n_out = 1, .shape = sparse_shape,
    .forward = sparse_forward, .backward = sparse_backward, .saved = sparse_bytes};

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
