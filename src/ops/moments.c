/* var and std (of the population) and logsumexp over any set of axes; attributes as in reduce.c.
 *   var:        mean((x - mean)^2), in two passes;       dx = dy 2 (x - mean) / n
 *   std:        sqrt(var);                               dx = dy (x - mean) / (n y)
 *   logsumexp:  top + log(sum(exp(x - top)));            dx = dy exp(x - top) / sum
 * var and std keep the means, logsumexp the tops and the sums.
 */
#include <math.h>

#include "ops/ops.h"
#include "ops/reduce.h"

static nn_status float_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)n_in, (void)e;
  return nn_reduced_shape(a, in[0], NN_F32, out);
}

static size_t grouped_bytes(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  nn_shape kept;
  nn_reduced_kept(a, in[0], &kept);
  return nn_size_mul((size_t)nn_shape_size(&kept), sizeof(float));
}

static size_t twice_grouped_bytes(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  return 2 * grouped_bytes(a, n_in, in);
}

/* x as float32 where it is not, then one float an element; backward: one an output. */
static size_t room_bytes(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  size_t full = nn_size_mul((size_t)nn_shape_size(in[0]), sizeof(float));
  return nn_input_f32_bytes(in[0]) + full + grouped_bytes(a, n_in, in);
}

typedef struct job {
  const nn_call *c;
  reduction r;
  const float *x;
  float *room; /* forward */
  nn_spread a, b;    /* read in the input's shape */
  float *out;
  float scale;
  int acc;
  void (*f)(float *y, const struct job *j, int64_t at, int64_t n);
} job;

static void run_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  float g[NN_BLOCK];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = to - at < NN_BLOCK ? to - at : NN_BLOCK;
    j->f(j->acc ? g : j->out + at, j, at, n);
    if (j->acc) nn_put(j->out + at, g, 1, n);
  }
}

static void run(job *j, void (*f)(float *, const job *, int64_t, int64_t)) {
  j->f = f;
  nn_ranges_run(j->c->run, j->r.size, 0, run_range, j);
}

static job forward_job(const nn_call *c) {
  job j = {.c = c, .r = nn_reduction_of(c), .x = nn_input_f32(c, 0, c->scratch)};
  j.room = (float *)(void *)((char *)c->scratch + nn_input_f32_bytes(c->in_shape[0]));
  j.out = j.room;
  return j;
}

static job backward_job(const nn_call *c, const float *grouped) {
  job j = {.c = c, .r = nn_reduction_of(c), .x = c->in[0], .out = c->din[0],
           .acc = c->accumulate[0]};
  j.a = nn_reduction_spread(&j.r, c->dout[0]);
  j.b = nn_reduction_spread(&j.r, grouped);
  return j;
}

/* --- var, std ------------------------------------------------------------------------------ */

static void squared_distance(float *y, const job *j, int64_t at, int64_t n) {
  const nn_kernels *k = nn_kernels_get();
  float buf[NN_BLOCK];
  k->sub(y, j->x + at, nn_spread_f32(&j->b, at, n, buf), (size_t)n);
  k->square(y, y, (size_t)n);
}

static void var_forward(nn_call *c) {
  job j = forward_job(c);
  float *mean = c->saved, *y = c->out[0];
  nn_sum_to(mean, &j.r.kept, j.x, j.r.in, 0);
  for (int64_t i = 0; i < j.r.groups; i++) mean[i] /= (float)j.r.count;
  j.b = nn_reduction_spread(&j.r, mean);
  run(&j, squared_distance);
  nn_sum_to(y, &j.r.kept, j.room, j.r.in, 0);
  for (int64_t i = 0; i < j.r.groups; i++) y[i] /= (float)j.r.count;
}

static void std_forward(nn_call *c) {
  float *y = c->out[0];
  size_t n = (size_t)nn_shape_size(c->out_shape[0]);
  var_forward(c);
  nn_kernels_get()->sqrt(y, y, n);
}

static void distance(float *g, const job *j, int64_t at, int64_t n) {
  float dy_buf[NN_BLOCK], mean_buf[NN_BLOCK];
  const float *dy = nn_spread_f32(&j->a, at, n, dy_buf);
  const float *mean = nn_spread_f32(&j->b, at, n, mean_buf);
  for (int64_t i = 0; i < n; i++) g[i] = dy[i] * (j->x[at + i] - mean[i]) * j->scale;
}

static void var_backward(nn_call *c) {
  job j = backward_job(c, c->saved);
  j.scale = 2 / (float)j.r.count;
  if (c->din[0]) run(&j, distance);
}

static void std_backward(nn_call *c) {
  job j = backward_job(c, c->saved);
  float *slope = c->scratch;
  const float *y = c->out[0];
  for (int64_t i = 0; i < j.r.groups; i++) slope[i] = c->dout[0][i] == 0 ? 0 : c->dout[0][i] / y[i];
  j.a = nn_reduction_spread(&j.r, slope);
  j.scale = 1 / (float)j.r.count;
  if (c->din[0]) run(&j, distance);
}

/* --- logsumexp ----------------------------------------------------------------------------- */

static void exp_below(float *y, const job *j, int64_t at, int64_t n) {
  const nn_kernels *k = nn_kernels_get();
  float buf[NN_BLOCK];
  k->sub(y, j->x + at, nn_spread_f32(&j->b, at, n, buf), (size_t)n);
  k->exp(y, y, (size_t)n);
}

static void logsumexp_forward(nn_call *c) {
  const nn_kernels *k = nn_kernels_get();
  job j = forward_job(c);
  float *y = c->out[0], *top = c->saved, *sum = top + j.r.groups;
  nn_reduced_max(top, &j.r, j.x);
  for (int64_t i = 0; i < j.r.groups; i++)
    if (isinf(top[i])) top[i] = 0; /* nothing but infinities: they are the answer */
  j.b = nn_reduction_spread(&j.r, top);
  run(&j, exp_below);
  nn_sum_to(sum, &j.r.kept, j.room, j.r.in, 0);
  k->log(y, sum, (size_t)j.r.groups);
  k->add(y, y, top, (size_t)j.r.groups);
}

static void share(float *g, const job *j, int64_t at, int64_t n) {
  float buf[NN_BLOCK];
  exp_below(g, j, at, n);
  nn_kernels_get()->mul(g, g, nn_spread_f32(&j->a, at, n, buf), (size_t)n);
}

static void logsumexp_backward(nn_call *c) {
  const float *top = c->saved;
  float *slope = c->scratch;
  job j = backward_job(c, top);
  nn_kernels_get()->div(slope, c->dout[0], top + j.r.groups, (size_t)j.r.groups);
  j.a = nn_reduction_spread(&j.r, slope);
  if (c->din[0]) run(&j, share);
}

#define MOMENT(op, keep)                                                                    \
  const nn_op nn_op_##op = {.name = #op, .n_in = 1, .n_out = 1, .flags = NN_OP_USES_Y,      \
                            .shape = float_shape, .forward = op##_forward,                  \
                            .backward = op##_backward, .saved = keep, .scratch = room_bytes};
MOMENT(var, grouped_bytes)
MOMENT(std, grouped_bytes)
MOMENT(logsumexp, twice_grouped_bytes)
