/* dropout: y = x / (1 - rate) where kept, else 0. What is kept is a function of the seed, the op's
 * stream, the step and the element.
 *   attrs.f[0] rate; attrs.i[0] stream; attrs.i[1] number of axes of the noise, 0 = those of x, and
 *   then attrs.i[2..] its dims, 1 where one draw serves the whole axis.
 * The mask is kept for backward: dx = dy / (1 - rate) where kept.
 */
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"

static void noise_shape(const nn_attrs *a, const nn_shape *x, nn_shape *s) {
  *s = *x;
  s->dtype = NN_U8;
  for (int i = 0; i < s->ndim && a->i[1] > 0; i++) s->dim[i] = a->i[2 + i];
}

static nn_status dropout_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                               nn_shape *out, nn_error *e) {
  (void)n_in;
  nn_shape noise, both;
  char text[160];
  if (!(a->f[0] >= 0 && a->f[0] <= 1))
    return nn_fail(e, NN_ERR_ARGUMENT, "dropout: rate is %g, expected 0 to 1", a->f[0]);
  noise_shape(a, in[0], &noise);
  int fits = a->i[1] == 0 || a->i[1] == in[0]->ndim;
  if (!fits || !nn_shape_broadcast(in[0], &noise, &both) || !nn_shape_same(&both, in[0]))
    return nn_fail(e, NN_ERR_SHAPE, "dropout: the noise shape does not fit the input %s",
                   nn_shape_text(in[0], text, sizeof text));
  return nn_shape_keep(in[0], NN_F32, out);
}

static size_t dropout_saved(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  nn_shape noise;
  noise_shape(a, in[0], &noise);
  return (size_t)nn_shape_size(&noise);
}

static float scale_of(const nn_attrs *a) { return a->f[0] < 1 ? (float)(1 / (1 - a->f[0])) : 0; }

typedef struct job {
  const nn_call *c;
  nn_rng rng;
  nn_spread mask;
  float rate, scale;
} job;

/* One draw an element: mask and product in one pass. */
static void draw_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  const nn_call *c = j->c;
  float buf[NN_BLOCK];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = to - at < NN_BLOCK ? to - at : NN_BLOCK;
    nn_rng_dropout(&j->rng, (uint64_t)at, (size_t)n, j->rate, j->scale,
                   nn_array_f32(c->in[0], c->in_shape[0]->dtype, at, n, buf),
                   (float *)c->out[0] + at, (uint8_t *)c->saved + at);
  }
}

static void draw_mask(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  float u[NN_BLOCK];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = to - at < NN_BLOCK ? to - at : NN_BLOCK;
    nn_rng_uniform(&j->rng, (uint64_t)at, (size_t)n, 0, 1, u);
    for (int64_t i = 0; i < n; i++) ((uint8_t *)j->c->saved)[at + i] = u[i] >= j->rate;
  }
}

/* to (+)= x where kept, scaled. */
static void keep(const job *j, const float *x, float *to, int acc, int64_t at, int64_t n) {
  float mask[NN_BLOCK], y[NN_BLOCK];
  const float *m = nn_spread_f32(&j->mask, at, n, mask);
  for (int64_t i = 0; i < n; i++) y[i] = m[i] != 0 ? x[i] * j->scale : 0;
  nn_put(to, y, acc, n);
}

static void keep_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  const nn_call *c = j->c;
  float buf[NN_BLOCK];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = to - at < NN_BLOCK ? to - at : NN_BLOCK;
    const float *x = nn_array_f32(c->in[0], c->in_shape[0]->dtype, at, n, buf);
    keep(j, x, (float *)c->out[0] + at, 0, at, n);
  }
}

static job job_of(const nn_call *c) {
  nn_shape noise;
  noise_shape(c->attrs, c->in_shape[0], &noise);
  job j = {.c = c, .rate = (float)c->attrs->f[0], .scale = scale_of(c->attrs)};
  j.rng = (nn_rng){c->run->seed, (uint32_t)c->attrs->i[0], c->run->step};
  nn_spread_init(&j.mask, c->saved, &noise, c->out_shape[0]);
  return j;
}

static void dropout_forward(nn_call *c) {
  job j = job_of(c);
  int64_t n = nn_shape_size(c->out_shape[0]);
  if (j.mask.flat) {
    nn_ranges_run(c->run, n, 0, draw_range, &j);
  } else {
    size_t draws = dropout_saved(c->attrs, 1, c->in_shape);
    nn_ranges_run(c->run, (int64_t)draws, 0, draw_mask, &j);
    nn_ranges_run(c->run, n, 0, keep_range, &j);
  }
}

/* Without a branch, which would go wrong half of the time. */
static void keep_flat(const uint8_t *mask, const float *dy, float scale, float *g, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    float v = dy[i] * scale;
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    bits &= 0u - (uint32_t)mask[i];
    memcpy(&g[i], &bits, sizeof bits);
  }
}

static void backward_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  const nn_call *c = j->c;
  float g[NN_BLOCK];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = to - at < NN_BLOCK ? to - at : NN_BLOCK;
    float *dx = c->din[0] + at;
    if (!j->mask.flat) {
      keep(j, c->dout[0] + at, dx, c->accumulate[0], at, n);
      continue;
    }
    float *put = c->accumulate[0] ? g : dx;
    keep_flat((const uint8_t *)c->saved + at, c->dout[0] + at, j->scale, put, n);
    if (c->accumulate[0]) nn_put(dx, g, 1, n);
  }
}

static void dropout_backward(nn_call *c) {
  job j = job_of(c);
  if (c->din[0]) nn_ranges_run(c->run, nn_shape_size(c->out_shape[0]), 0, backward_range, &j);
}

const nn_op nn_op_dropout = {.name = "dropout", .n_in = 1, .n_out = 1, .flags = NN_OP_RANDOM,
                             .shape = dropout_shape, .forward = dropout_forward,
                             .backward = dropout_backward, .saved = dropout_saved};
