/* Reductions over any set of axes.
 *   attrs.i[0]: the axes as bits (bit d = axis d, 0-based; -1 = all); attrs.i[1]: 1 keeps them as 1
 * Seen from the output with its axes kept, the input is what a broadcast of it would look like, so
 * an nn_spread finds the output of every element, and the gradient is read through one.
 */
#include "ops/reduce.h"

#include <math.h>
#include <string.h>

#include "ops/ops.h"

int nn_is_reduced(const nn_attrs *a, int axis) { return (int)(a->i[0] >> axis & 1); }

void nn_reduced_kept(const nn_attrs *a, const nn_shape *in, nn_shape *out) {
  *out = *in;
  for (int d = 0; d < in->ndim; d++)
    if (nn_is_reduced(a, d)) out->dim[d] = 1;
}

nn_status nn_reduced_shape(const nn_attrs *a, const nn_shape *in, nn_dtype t, nn_shape *out) {
  out->dtype = t, out->ndim = 0;
  for (int d = 0; d < in->ndim; d++)
    if (!nn_is_reduced(a, d))
      out->dim[out->ndim++] = in->dim[d];
    else if (a->i[1])
      out->dim[out->ndim++] = 1;
  return NN_OK;
}

reduction nn_reduction_of(const nn_call *c) {
  reduction r = {.c = c, .in = c->in_shape[0]};
  nn_reduced_kept(c->attrs, r.in, &r.kept);
  r.size = nn_shape_size(r.in), r.groups = nn_shape_size(&r.kept);
  r.count = r.groups ? r.size / r.groups : 0;
  nn_spread_init(&r.spread, NULL, &r.kept, r.in);
  return r;
}

nn_spread nn_reduction_spread(const reduction *r, const float *grouped) {
  nn_spread s = r->spread;
  s.data = grouped, s.dtype = NN_F32;
  return s;
}

static nn_dtype integer_or_float(const nn_shape *s) { return s->dtype == NN_F32 ? NN_F32 : NN_I32; }

/* --- folding ------------------------------------------------------------------------------- */

typedef struct fold {
  double first;
  double (*two)(double a, double b);
  float (*run)(const float *x, size_t n);
  nn_map2 rows;
} fold;

static void fold_floats(float *dst, const nn_spread *s, const float *x, int64_t total,
                        const fold *f) {
  int64_t index[NN_MAX_DIMS] = {0}, to = 0, n = s->flat ? 1 : s->dim[0];
  if (s->flat) {
    if (total > 0) memcpy(dst, x, (size_t)total * sizeof *x);
    return;
  }
  for (int64_t at = 0; at < total; at += n) {
    if (s->step[0] == 0)
      dst[to] = (float)f->two(dst[to], f->run(x + at, (size_t)n));
    else
      f->rows(dst + to, dst + to, x + at, (size_t)n);
    for (int d = 1; d < s->ndim; d++) {
      to += s->step[d];
      if (++index[d] < s->dim[d]) break;
      to -= s->step[d] * s->dim[d], index[d] = 0;
    }
  }
}

/* Integers, truth values and counts, one element after the other. */
static void fold_each(const nn_call *c, const reduction *r, const fold *f) {
  nn_tensor x, y;
  nn_tensor_init(&x, c->in_shape[0], c->in[0]);
  nn_tensor_init(&y, c->out_shape[0], c->out[0]);
  const nn_spread *s = &r->spread;
  int64_t index[NN_MAX_DIMS] = {0}, to = 0;
  for (int64_t i = 0; i < r->groups; i++) nn_tensor_set(&y, i, f->first);
  for (int64_t at = 0; at < r->size; at++) {
    int64_t g = s->flat ? at : to;
    nn_tensor_set(&y, g, f->two(nn_tensor_get(&y, g), nn_tensor_get(&x, at)));
    for (int d = 0; d < s->ndim; d++) {
      to += s->step[d];
      if (++index[d] < s->dim[d]) break;
      to -= s->step[d] * s->dim[d], index[d] = 0;
    }
  }
}

static void fold_forward(const nn_call *c, const fold *f) {
  reduction r = nn_reduction_of(c);
  if (!f->run || r.in->dtype != NN_F32) {
    fold_each(c, &r, f);
    return;
  }
  float *y = c->out[0];
  for (int64_t i = 0; i < r.groups; i++) y[i] = (float)f->first;
  fold_floats(y, &r.spread, c->in[0], r.size, f);
}

static double two_sum(double a, double b) { return a + b; }
static double two_prod(double a, double b) { return a * b; }
static double two_max(double a, double b) { return isnan(a) || a > b ? a : b; }
static double two_min(double a, double b) { return isnan(a) || a < b ? a : b; }
static double two_any(double a, double b) { return a != 0 || b != 0; }
static double two_all(double a, double b) { return a != 0 && b != 0; }
static double two_count(double a, double b) { return a + (b != 0); }

static float run_max(const float *x, size_t n) { return nn_kernels_get()->max_value(x, n); }
static void rows_max(float *y, const float *a, const float *b, size_t n) {
  nn_kernels_get()->max(y, a, b, n);
}
static float run_min(const float *x, size_t n) {
  double least = INFINITY;
  for (size_t i = 0; i < n; i++) least = two_min(least, x[i]);
  return (float)least;
}
static void rows_min(float *y, const float *a, const float *b, size_t n) {
  nn_kernels_get()->min(y, a, b, n);
}
static float run_prod(const float *x, size_t n) {
  double p = 1;
  for (size_t i = 0; i < n; i++) p *= x[i];
  return (float)p;
}
static void rows_prod(float *y, const float *a, const float *b, size_t n) {
  nn_kernels_get()->mul(y, a, b, n);
}

static const fold fold_sum = {0, two_sum, NULL, NULL};
static const fold fold_max = {-INFINITY, two_max, run_max, rows_max};
static const fold fold_min = {INFINITY, two_min, run_min, rows_min};
static const fold fold_prod = {1, two_prod, run_prod, rows_prod};
static const fold fold_any = {0, two_any, NULL, NULL};
static const fold fold_all = {1, two_all, NULL, NULL};
static const fold fold_count = {0, two_count, NULL, NULL};

void nn_reduced_max(float *top, const reduction *r, const float *x) {
  for (int64_t i = 0; i < r->groups; i++) top[i] = (float)fold_max.first;
  fold_floats(top, &r->spread, x, r->size, &fold_max);
}

/* --- gradients ----------------------------------------------------------------------------- */

typedef struct job {
  const reduction *r;
  const nn_call *c;
  nn_spread y, dy, a, b; /* read in the input's shape */
  const float *x;
  float *out, scale;
  int acc;
  void (*f)(float *g, const struct job *j, int64_t at, int64_t n);
} job;

static void gradient_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  float g[NN_BLOCK];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = to - at < NN_BLOCK ? to - at : NN_BLOCK;
    float *put = j->acc ? g : j->out + at;
    j->f(put, j, at, n);
    if (j->acc) nn_put(j->out + at, g, 1, n);
  }
}

static job job_of(const nn_call *c, const reduction *r) {
  job j = {.r = r, .c = c, .x = c->in[0], .out = c->din[0], .acc = c->accumulate[0], .scale = 1};
  j.y = nn_reduction_spread(r, c->out[0]);
  j.dy = nn_reduction_spread(r, c->dout[0]);
  return j;
}

static void job_run(job *j, void (*f)(float *, const job *, int64_t, int64_t)) {
  j->f = f;
  nn_ranges_run(j->c->run, j->r->size, 0, gradient_range, j);
}

static void scaled_dy(float *g, const job *j, int64_t at, int64_t n) {
  float buf[NN_BLOCK];
  if (j->r->groups == 1) {
    float v = j->c->dout[0][0] * j->scale;
    for (int64_t i = 0; i < n; i++) g[i] = v;
    return;
  }
  const float *dy = nn_spread_f32(&j->dy, at, n, buf);
  nn_kernels_get()->mul_scalar(g, dy, j->scale, (size_t)n);
}

/* --- sum, mean ----------------------------------------------------------------------------- */

static nn_status sum_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                           nn_error *e) {
  (void)n_in, (void)e;
  return nn_reduced_shape(a, in[0], integer_or_float(in[0]), out);
}

static nn_status float_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)n_in, (void)e;
  return nn_reduced_shape(a, in[0], NN_F32, out);
}

/* A short array to one number, as losses end: 1 when it was that. */
enum { SHORT = 1024 };

static int is_short(const nn_call *c) {
  return nn_shape_size(c->in_shape[0]) <= SHORT && nn_shape_size(c->out_shape[0]) == 1 &&
         c->in_shape[0]->dtype == NN_F32;
}

static int short_sum(const nn_call *c, float divisor) {
  if (!is_short(c)) return 0;
  float sum = nn_kernels_get()->sum(c->in[0], (size_t)nn_shape_size(c->in_shape[0]));
  *(float *)c->out[0] = sum / divisor;
  return 1;
}

static int short_gradient(const nn_call *c, float scale) {
  if (!is_short(c)) return 0;
  float g = c->dout[0][0] * scale, *dx = c->din[0];
  int64_t n = nn_shape_size(c->in_shape[0]);
  if (dx && c->accumulate[0])
    for (int64_t i = 0; i < n; i++) dx[i] += g;
  else if (dx)
    for (int64_t i = 0; i < n; i++) dx[i] = g;
  return 1;
}

static void sum_forward(nn_call *c) {
  if (short_sum(c, 1)) return;
  reduction r = nn_reduction_of(c);
  if (r.in->dtype == NN_F32)
    nn_sum_to(c->out[0], &r.kept, c->in[0], r.in, 0);
  else
    fold_each(c, &r, &fold_sum);
}

static void sum_backward(nn_call *c) {
  if (short_gradient(c, 1)) return;
  reduction r = nn_reduction_of(c);
  job j = job_of(c, &r);
  if (c->din[0]) job_run(&j, scaled_dy);
}

static size_t input_bytes(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)a, (void)n_in;
  return nn_input_f32_bytes(in[0]);
}

static void mean_forward(nn_call *c) {
  if (short_sum(c, (float)nn_shape_size(c->in_shape[0]))) return;
  reduction r = nn_reduction_of(c);
  float *y = c->out[0];
  nn_sum_to(y, &r.kept, nn_input_f32(c, 0, c->scratch), r.in, 0);
  for (int64_t i = 0; i < r.groups; i++) y[i] /= (float)r.count;
}

static void mean_backward(nn_call *c) {
  int64_t count = nn_shape_size(c->in_shape[0]);
  if (short_gradient(c, count ? 1 / (float)count : 0)) return;
  reduction r = nn_reduction_of(c);
  job j = job_of(c, &r);
  j.scale = r.count ? 1 / (float)r.count : 0;
  if (c->din[0]) job_run(&j, scaled_dy);
}

const nn_op nn_op_sum = {.name = "sum", .n_in = 1, .n_out = 1, .shape = sum_shape,
                         .forward = sum_forward, .backward = sum_backward};
const nn_op nn_op_mean = {.name = "mean", .n_in = 1, .n_out = 1, .shape = float_shape,
                          .forward = mean_forward, .backward = mean_backward,
                          .scratch = input_bytes};

/* --- max, min: equal elements share the gradient evenly ------------------------------------- */

static size_t grouped_scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  nn_shape kept;
  nn_reduced_kept(a, in[0], &kept);
  int64_t n = nn_shape_size(in[0]) + 2 * nn_shape_size(&kept);
  return nn_size_mul((size_t)n, sizeof(float));
}

static void is_extreme(float *g, const job *j, int64_t at, int64_t n) {
  float buf[NN_BLOCK];
  const float *y = nn_spread_f32(&j->y, at, n, buf);
  for (int64_t i = 0; i < n; i++) g[i] = j->x[at + i] == y[i];
}

static void shared_dy(float *g, const job *j, int64_t at, int64_t n) {
  float dy_buf[NN_BLOCK], count_buf[NN_BLOCK];
  const float *dy = nn_spread_f32(&j->dy, at, n, dy_buf);
  const float *count = nn_spread_f32(&j->a, at, n, count_buf);
  const float *extreme = j->b.data;
  for (int64_t i = 0; i < n; i++) g[i] = extreme[at + i] != 0 ? dy[i] / count[i] : 0;
}

static void extreme_backward(nn_call *c) {
  reduction r = nn_reduction_of(c);
  if (!c->din[0]) return;
  float *count = c->scratch, *extreme = count + r.groups;
  job j = job_of(c, &r);
  j.out = extreme, j.acc = 0;
  job_run(&j, is_extreme);
  nn_sum_to(count, &r.kept, extreme, r.in, 0);
  j = job_of(c, &r);
  j.a = nn_reduction_spread(&r, count), j.b.data = extreme;
  job_run(&j, shared_dy);
}

/* --- prod ---------------------------------------------------------------------------------- */

static void is_zero(float *g, const job *j, int64_t at, int64_t n) {
  for (int64_t i = 0; i < n; i++) g[i] = j->x[at + i] == 0;
}

static void one_for_zero(float *g, const job *j, int64_t at, int64_t n) {
  for (int64_t i = 0; i < n; i++) g[i] = j->x[at + i] == 0 ? 1 : j->x[at + i];
}

/* The product of the others: with the product of those that are not 0 and the number of zeros. */
static void others(float *g, const job *j, int64_t at, int64_t n) {
  float dy_buf[NN_BLOCK], zero_buf[NN_BLOCK], rest_buf[NN_BLOCK];
  const float *dy = nn_spread_f32(&j->dy, at, n, dy_buf);
  const float *zeros = nn_spread_f32(&j->a, at, n, zero_buf);
  const float *rest = nn_spread_f32(&j->b, at, n, rest_buf);
  for (int64_t i = 0; i < n; i++) {
    float x = j->x[at + i];
    int own = x == 0;
    g[i] = zeros[i] > (float)own ? 0 : dy[i] * rest[i] / (own ? 1 : x);
  }
}

static void prod_backward(nn_call *c) {
  reduction r = nn_reduction_of(c);
  if (!c->din[0]) return;
  float *zeros = c->scratch, *rest = zeros + r.groups, *full = rest + r.groups;
  job j = job_of(c, &r);
  j.out = full, j.acc = 0;
  job_run(&j, is_zero);
  nn_sum_to(zeros, &r.kept, full, r.in, 0);
  job_run(&j, one_for_zero);
  for (int64_t i = 0; i < r.groups; i++) rest[i] = 1;
  fold_floats(rest, &r.spread, full, r.size, &fold_prod);
  j = job_of(c, &r);
  j.a = nn_reduction_spread(&r, zeros), j.b = nn_reduction_spread(&r, rest);
  job_run(&j, others);
}

/* --- the ops ------------------------------------------------------------------------------- */

static nn_status extreme_shape(const char *name, const nn_attrs *a, const nn_shape *in,
                               nn_shape *out, nn_error *e) {
  nn_reduced_shape(a, in, integer_or_float(in), out);
  char text[160];
  if (nn_shape_size(in) == 0 && nn_shape_size(out) > 0)
    return nn_fail(e, NN_ERR_SHAPE, "%s: no elements in the shape %s", name,
                   nn_shape_text(in, text, sizeof text));
  return NN_OK;
}

static nn_status max_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                           nn_error *e) {
  (void)n_in;
  return extreme_shape("max", a, in[0], out, e);
}

static nn_status min_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                           nn_error *e) {
  (void)n_in;
  return extreme_shape("min", a, in[0], out, e);
}

static nn_status truth_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)n_in, (void)e;
  return nn_reduced_shape(a, in[0], NN_U8, out);
}

static nn_status count_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)n_in, (void)e;
  return nn_reduced_shape(a, in[0], NN_I32, out);
}

#define FOLD(op, fold_name, shape_fn, grad)                                                 \
  static void forward_##op(nn_call *c) { fold_forward(c, &fold_##fold_name); }              \
  const nn_op nn_op_##op = {.name = #op, .n_in = 1, .n_out = 1, .flags = NN_OP_USES_Y,      \
                            .shape = shape_fn, .forward = forward_##op, .backward = grad,   \
                            .scratch = grouped_scratch};
FOLD(max, max, max_shape, extreme_backward)
FOLD(min, min, min_shape, extreme_backward)
FOLD(prod, prod, sum_shape, prod_backward)
FOLD(any, any, truth_shape, NULL)
FOLD(all, all, truth_shape, NULL)
FOLD(count_nonzero, count, count_shape, NULL)
