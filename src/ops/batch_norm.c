/* batch_norm: the training pass of batch normalization over the last axis.
 *   inputs: x (.., C), then gamma (C) if attrs.i[0] & 1, then beta (C) if attrs.i[0] & 2
 *   outputs: y, the batch's mean (C) and population variance (C);  attrs.f[0]: epsilon
 *   y = (x - mean) s + beta with s = gamma inv, inv = 1 / sqrt(var + epsilon)
 * Backward with N rows, xc = x - mean, B = sum(dy), G = inv sum(dy xc):
 *   dbeta = B, dgamma = G, dx = s dy - s inv G / N xc - s B / N  (+ what flows into mean and
 *   variance)
 * Narrow rows are worked on several at a time, as one wide row with its channels repeated.
 */
#include <math.h>
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"

/* A strip of columns: `width` of them, or all n repeated so often that a block is full. */
typedef struct strip {
  int64_t m, n, first, width, repeat;
} strip;

static int next_strip(strip *s, int64_t m, int64_t n) {
  s->first = s->n ? s->first + s->width : 0;
  s->m = m, s->n = n;
  if (s->first >= n) return 0;
  s->width = n - s->first < NN_BLOCK ? n - s->first : NN_BLOCK;
  s->repeat = n <= NN_BLOCK / 2 ? NN_BLOCK / n : 1;
  if (s->repeat > m) s->repeat = m > 0 ? m : 1;
  return 1;
}

/* A channel vector as a wide row sees it. */
static const float *tiled(const strip *s, const float *v, float *buf) {
  if (s->repeat == 1) return v + s->first;
  for (int64_t i = 0; i < s->repeat; i++) memcpy(buf + i * s->n, v, (size_t)s->n * sizeof *v);
  return buf;
}

/* Wide row r: where it begins and how many elements it has. */
static int64_t wide_row(const strip *s, int64_t r, size_t *w) {
  int64_t rows = s->m - r < s->repeat ? s->m - r : s->repeat;
  *w = (size_t)(rows * s->width);
  return r * s->n + s->first;
}

/* out (C) = the sum over rows of f(row); f writes up to NN_BLOCK values. Sums of 128 wide rows are
 * added up. */
typedef struct sums {
  const float *x, *dy, *mean; /* mean: as a wide row sees it */
} sums;

static void add_up(float *out, const strip *s, const sums *in,
                   void (*f)(float *t, const sums *in, int64_t at, size_t w)) {
  const nn_kernels *k = nn_kernels_get();
  float all[NN_BLOCK], part[NN_BLOCK], t[NN_BLOCK];
  size_t full = (size_t)(s->width * s->repeat), w;
  int count = 0;
  memset(all, 0, full * sizeof *all);
  memset(part, 0, full * sizeof *part);
  for (int64_t r = 0; r < s->m; r += s->repeat) {
    int64_t at = wide_row(s, r, &w);
    f(t, in, at, w);
    k->add(part, part, t, w);
    if (++count < 128 && r + s->repeat < s->m) continue;
    k->add(all, all, part, full);
    memset(part, 0, full * sizeof *part);
    count = 0;
  }
  for (int64_t i = 1; i < s->repeat; i++) k->add(all, all, all + i * s->n, (size_t)s->n);
  memcpy(out + s->first, all, (size_t)s->width * sizeof *out);
}

static void squares(float *t, const sums *in, int64_t at, size_t w) {
  nn_kernels_get()->sub(t, in->x + at, in->mean, w);
  nn_kernels_get()->square(t, t, w);
}

static void products(float *t, const sums *in, int64_t at, size_t w) {
  nn_kernels_get()->sub(t, in->x + at, in->mean, w);
  nn_kernels_get()->mul(t, t, in->dy + at, w);
}

typedef struct parts {
  int64_t m, n;
  int gamma, beta; /* input numbers, 0 = absent */
  float *inv;      /* saved */
} parts;

static parts parts_of(const nn_call *c) {
  parts p = {.n = c->in_shape[0]->dim[c->in_shape[0]->ndim - 1], .inv = c->saved};
  p.m = p.n ? nn_shape_size(c->in_shape[0]) / p.n : 0;
  p.gamma = c->attrs->i[0] & 1 ? 1 : 0;
  p.beta = c->attrs->i[0] & 2 ? 1 + p.gamma : 0;
  return p;
}

static nn_status shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                       nn_error *e) {
  char text[160];
  int want = 1 + (int)(a->i[0] & 1) + (int)(a->i[0] >> 1 & 1);
  if (n_in != want)
    return nn_fail(e, NN_ERR_ARGUMENT, "batch_norm: %d inputs, expected %d", n_in, want);
  if (in[0]->ndim < 1 || in[0]->dtype != NN_F32)
    return nn_fail(e, NN_ERR_SHAPE, "batch_norm: input %s of %s, expected float32 with channels",
                   nn_shape_text(in[0], text, sizeof text), nn_dtype_name(in[0]->dtype));
  int64_t n = in[0]->dim[in[0]->ndim - 1];
  for (int i = 1; i < n_in; i++)
    if (nn_shape_size(in[i]) != n || in[i]->dtype != NN_F32)
      return nn_fail(e, NN_ERR_SHAPE, "batch_norm: a weight %s, expected (%lld)",
                     nn_shape_text(in[i], text, sizeof text), (long long)n);
  out[0] = *in[0];
  out[1] = out[2] = (nn_shape){.dtype = NN_F32, .ndim = 1, .dim = {n}};
  return NN_OK;
}

static size_t saved(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)a, (void)n_in;
  return (size_t)in[0]->dim[in[0]->ndim - 1] * sizeof(float);
}

/* Four channel vectors. */
static size_t scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  return 4 * saved(a, n_in, in);
}

static void statistics(const nn_call *c, const parts *p) {
  float *mean = c->out[1], *var = c->out[2], buf[NN_BLOCK];
  nn_sum_rows(mean, c->in[0], 0, p->m, p->n);
  for (int64_t j = 0; j < p->n; j++) mean[j] /= (float)p->m;
  for (strip s = {0}; next_strip(&s, p->m, p->n);) {
    sums in = {.x = c->in[0], .mean = tiled(&s, mean, buf)};
    add_up(var, &s, &in, squares);
  }
  for (int64_t j = 0; j < p->n; j++) {
    var[j] /= (float)p->m;
    p->inv[j] = 1 / sqrtf(var[j] + (float)c->attrs->f[0]);
  }
}

typedef struct job {
  const nn_call *c;
  parts p;
  strip s;
  const float *mean, *a, *b, *d; /* channel vectors, tiled */
} job;

/* y = (x - mean) a + b for wide rows from .. to-1 */
static void forward_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  const nn_kernels *k = nn_kernels_get();
  float *y = j->c->out[0];
  const float *x = j->c->in[0];
  size_t w;
  for (int64_t i = from; i < to; i++) {
    int64_t at = wide_row(&j->s, i * j->s.repeat, &w);
    k->sub(y + at, x + at, j->mean, w);
    k->mul(y + at, y + at, j->a, w);
    if (j->b) k->add(y + at, y + at, j->b, w);
  }
}

static int64_t wide_rows(const strip *s) { return (s->m + s->repeat - 1) / s->repeat; }
static int64_t grain(const strip *s) { return 1 + NN_RANGE / (s->width * s->repeat); }

static void forward(nn_call *c) {
  job j = {.c = c, .p = parts_of(c)};
  const parts *p = &j.p;
  float *scale = c->scratch, mean[NN_BLOCK], a[NN_BLOCK], b[NN_BLOCK];
  statistics(c, p);
  memcpy(scale, p->inv, (size_t)p->n * sizeof *scale);
  if (p->gamma) nn_kernels_get()->mul(scale, scale, c->in[p->gamma], (size_t)p->n);
  while (next_strip(&j.s, p->m, p->n)) {
    j.mean = tiled(&j.s, c->out[1], mean), j.a = tiled(&j.s, scale, a);
    j.b = p->beta ? tiled(&j.s, c->in[p->beta], b) : NULL;
    nn_ranges_run(c->run, wide_rows(&j.s), grain(&j.s), forward_range, &j);
  }
}

/* dx (+)= a dy + b (x - mean) + d */
static void backward_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  const nn_kernels *k = nn_kernels_get();
  const float *x = j->c->in[0], *dy = j->c->dout[0];
  float t[NN_BLOCK], u[NN_BLOCK];
  size_t w;
  for (int64_t i = from; i < to; i++) {
    int64_t at = wide_row(&j->s, i * j->s.repeat, &w);
    k->sub(t, x + at, j->mean, w);
    k->mul(t, t, j->b, w);
    k->add(t, t, j->d, w);
    if (dy) {
      k->mul(u, dy + at, j->a, w);
      k->add(t, t, u, w);
    }
    nn_put(j->c->din[0] + at, t, j->c->accumulate[0], (int64_t)w);
  }
}

/* sum(dy) and inv sum(dy (x - mean)) by channel. */
static void channel_sums(const nn_call *c, const parts *p, float *sum, float *dot) {
  float buf[NN_BLOCK];
  if (!c->dout[0]) {
    memset(sum, 0, (size_t)p->n * sizeof *sum);
    memset(dot, 0, (size_t)p->n * sizeof *dot);
    return;
  }
  nn_sum_rows(sum, c->dout[0], 0, p->m, p->n);
  for (strip s = {0}; next_strip(&s, p->m, p->n);) {
    sums in = {c->in[0], c->dout[0], tiled(&s, c->out[1], buf)};
    add_up(dot, &s, &in, products);
  }
  nn_kernels_get()->mul(dot, dot, p->inv, (size_t)p->n);
}

static void backward(nn_call *c) {
  job j = {.c = c, .p = parts_of(c)};
  const parts *p = &j.p;
  float *sum = c->scratch, *dot = sum + p->n, *a = dot + p->n, *d = a + p->n, *b = dot;
  float mean_t[NN_BLOCK], a_t[NN_BLOCK], b_t[NN_BLOCK], d_t[NN_BLOCK];
  channel_sums(c, p, sum, dot);
  if (p->beta && c->din[p->beta]) nn_put(c->din[p->beta], sum, c->accumulate[p->beta], p->n);
  if (p->gamma && c->din[p->gamma]) nn_put(c->din[p->gamma], dot, c->accumulate[p->gamma], p->n);
  if (!c->din[0]) return;
  const float *gamma = p->gamma ? c->in[p->gamma] : NULL, rows = (float)p->m;
  for (int64_t i = 0; i < p->n; i++) {
    a[i] = p->inv[i] * (gamma ? gamma[i] : 1);
    b[i] = -a[i] * p->inv[i] * dot[i] / rows + (c->dout[2] ? 2 * c->dout[2][i] / rows : 0);
    d[i] = -a[i] * sum[i] / rows + (c->dout[1] ? c->dout[1][i] / rows : 0);
  }
  while (next_strip(&j.s, p->m, p->n)) {
    j.mean = tiled(&j.s, c->out[1], mean_t), j.a = tiled(&j.s, a, a_t);
    j.b = tiled(&j.s, b, b_t), j.d = tiled(&j.s, d, d_t);
    nn_ranges_run(c->run, wide_rows(&j.s), grain(&j.s), backward_range, &j);
  }
}

const nn_op nn_op_batch_norm = {.name = "batch_norm", .n_in = -1, .n_out = 3,
                                .flags = NN_OP_USES_Y, .shape = shape, .forward = forward,
                                .backward = backward, .saved = saved, .scratch = scratch};
