/* layer_norm and rms_norm over the last axes, row by row.
 *   inputs: x, then gamma if attrs.i[1] & 1, then beta if attrs.i[1] & 2
 *   attrs.i[0]: how many axes a row has; attrs.f[0]: epsilon
 *   layer_norm: xh = (x - mean) inv, inv = 1 / sqrt(variance + epsilon)
 *   rms_norm:   xh = x inv,          inv = 1 / sqrt(mean of squares + epsilon)
 *   y = xh gamma + beta
 * Backward with g = dy gamma: dx = inv (g - mean(g) - xh mean(g xh)), for rms_norm without mean(g).
 * The mean and inv of each row are kept.
 */
#include <math.h>
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"

typedef struct norm {
  const nn_call *c;
  int64_t m, n;
  const float *gamma, *beta;
  int at_gamma, at_beta; /* input numbers, 0 = absent */
  float *stats;          /* saved: mean and inv of each row */
  int centered;
} norm;

static int64_t row_size(const nn_attrs *a, const nn_shape *x) {
  int64_t n = 1;
  for (int i = x->ndim - (int)a->i[0]; i < x->ndim; i++) n *= x->dim[i];
  return n;
}

static nn_status check(const char *name, const nn_attrs *a, int n_in, const nn_shape *const *in,
                       nn_shape *out, nn_error *e) {
  char text[160];
  int want = 1 + (int)(a->i[1] & 1) + (int)(a->i[1] >> 1 & 1);
  if (n_in != want)
    return nn_fail(e, NN_ERR_ARGUMENT, "%s: %d inputs, expected %d", name, n_in, want);
  if (in[0]->dtype != NN_F32 || a->i[0] < 1 || a->i[0] > in[0]->ndim)
    return nn_fail(e, NN_ERR_SHAPE, "%s: %d axes of %s %s", name, (int)a->i[0],
                   nn_dtype_name(in[0]->dtype), nn_shape_text(in[0], text, sizeof text));
  for (int i = 1; i < n_in; i++)
    if (nn_shape_size(in[i]) != row_size(a, in[0]) || in[i]->dtype != NN_F32)
      return nn_fail(e, NN_ERR_SHAPE, "%s: a weight %s, expected %lld elements", name,
                     nn_shape_text(in[i], text, sizeof text), (long long)row_size(a, in[0]));
  *out = *in[0];
  return NN_OK;
}

static nn_status layer_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  return check("layer_norm", a, n_in, in, out, e);
}

static nn_status rms_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                           nn_error *e) {
  return check("rms_norm", a, n_in, in, out, e);
}

static size_t saved(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  int64_t n = row_size(a, in[0]);
  return n ? (size_t)(nn_shape_size(in[0]) / n) * 2 * sizeof(float) : 0;
}

/* Backward: xh, g, a product, and two sums of gradients, each as long as a row. */
static size_t scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  return (size_t)row_size(a, in[0]) * 5 * sizeof(float);
}

static norm norm_of(const nn_call *c, int centered) {
  norm s = {.c = c, .n = row_size(c->attrs, c->in_shape[0]), .stats = c->saved,
            .centered = centered};
  s.m = s.n ? nn_shape_size(c->in_shape[0]) / s.n : 0;
  s.at_gamma = c->attrs->i[1] & 1 ? 1 : 0;
  s.at_beta = c->attrs->i[1] & 2 ? 1 + s.at_gamma : 0;
  if (s.at_gamma) s.gamma = c->in[s.at_gamma];
  if (s.at_beta) s.beta = c->in[s.at_beta];
  return s;
}

static void forward_rows(void *arg, int64_t from, int64_t to) {
  const norm *s = arg;
  const nn_kernels *k = nn_kernels_get();
  size_t n = (size_t)s->n;
  for (int64_t r = from; r < to; r++) {
    const float *x = (const float *)s->c->in[0] + r * s->n;
    float *y = (float *)s->c->out[0] + r * s->n, mean = 0;
    if (s->centered) {
      mean = (float)(nn_sum_all(x, s->n) / (double)s->n);
      k->add_scalar(y, x, -mean, n);
      x = y;
    }
    float square = k->sum_squares(x, n) / (float)s->n;
    float inv = 1 / sqrtf(square + (float)s->c->attrs->f[0]);
    k->mul_scalar(y, x, inv, n);
    if (s->gamma) k->mul(y, y, s->gamma, n);
    if (s->beta) k->add(y, y, s->beta, n);
    s->stats[2 * r] = mean, s->stats[2 * r + 1] = inv;
  }
}

static void forward(const nn_call *c, int centered) {
  norm s = norm_of(c, centered);
  if (s.n) nn_ranges_run(c->run, s.m, 1 + NN_RANGE / s.n, forward_rows, &s);
}

typedef struct room {
  float *xh, *g, *t, *dgamma, *dbeta;
} room;

/* One row: dx, and its part of dgamma and dbeta. */
static void backward_row(const norm *s, int64_t r, const room *w) {
  const nn_kernels *k = nn_kernels_get();
  size_t n = (size_t)s->n;
  const float *x = (const float *)s->c->in[0] + r * s->n, *dy = s->c->dout[0] + r * s->n;
  float mean = s->stats[2 * r], inv = s->stats[2 * r + 1];
  k->add_scalar(w->xh, x, -mean, n);
  k->mul_scalar(w->xh, w->xh, inv, n);
  if (s->at_gamma && s->c->din[s->at_gamma]) {
    k->mul(w->t, dy, w->xh, n);
    k->add(w->dgamma, w->dgamma, w->t, n);
  }
  if (s->at_beta && s->c->din[s->at_beta]) k->add(w->dbeta, w->dbeta, dy, n);
  if (!s->c->din[0]) return;
  if (s->gamma)
    k->mul(w->g, dy, s->gamma, n);
  else
    memcpy(w->g, dy, n * sizeof *dy);
  float along = k->dot(w->g, w->xh, n) / (float)s->n;
  float level = s->centered ? (float)(nn_sum_all(w->g, s->n) / (double)s->n) : 0;
  k->axpy(w->g, -along, w->xh, n);
  k->add_scalar(w->g, w->g, -level, n);
  k->mul_scalar(w->g, w->g, inv, n);
  nn_put(s->c->din[0] + r * s->n, w->g, s->c->accumulate[0], s->n);
}

/* The weights' gradients: rows are summed in groups of 128. */
static void collect(const norm *s, int at, float *part) {
  if (!at || !s->c->din[at]) return;
  nn_kernels_get()->add(s->c->din[at], s->c->din[at], part, (size_t)s->n);
  memset(part, 0, (size_t)s->n * sizeof *part);
}

static void backward(const nn_call *c, int centered) {
  norm s = norm_of(c, centered);
  float *at = c->scratch;
  room w = {at, at + s.n, at + 2 * s.n, at + 3 * s.n, at + 4 * s.n};
  memset(w.dgamma, 0, 2 * (size_t)s.n * sizeof *at);
  for (int i = 1; i < c->n_in; i++)
    if (c->din[i] && !c->accumulate[i]) memset(c->din[i], 0, (size_t)s.n * sizeof(float));
  for (int64_t r = 0; r < s.m; r++) {
    backward_row(&s, r, &w);
    if (r % 128 != 127 && r != s.m - 1) continue;
    collect(&s, s.at_gamma, w.dgamma);
    collect(&s, s.at_beta, w.dbeta);
  }
}

static void layer_forward(nn_call *c) { forward(c, 1); }
static void layer_backward(nn_call *c) { backward(c, 1); }
static void rms_forward(nn_call *c) { forward(c, 0); }
static void rms_backward(nn_call *c) { backward(c, 0); }

const nn_op nn_op_layer_norm = {.name = "layer_norm", .n_in = -1, .n_out = 1,
                                .shape = layer_shape, .forward = layer_forward,
                                .backward = layer_backward, .saved = saved, .scratch = scratch};
const nn_op nn_op_rms_norm = {.name = "rms_norm", .n_in = -1, .n_out = 1, .shape = rms_shape,
                              .forward = rms_forward, .backward = rms_backward, .saved = saved,
                              .scratch = scratch};
