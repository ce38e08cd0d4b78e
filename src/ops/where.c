/* where (condition, a, b): a where the condition is not 0, else b; clip (x, low, high). Their
 * inputs broadcast.
 * Backward: the gradient goes to the input that was chosen. clip passes it at its bounds.
 */
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"

typedef struct job {
  const nn_call *c;
  nn_spread in[3];
  float *g; /* backward: of which input, in the output's shape */
  int side, acc;
  void (*choose)(float *y, const float *const *in, size_t n);
  void (*grad)(float *g, const float *dy, const float *const *in, int side, size_t n);
} job;

static int64_t part(int64_t at, int64_t to) { return to - at < NN_BLOCK ? to - at : NN_BLOCK; }

static void read_block(const job *j, int64_t at, int64_t n, float (*buf)[NN_BLOCK],
                       const float **in) {
  for (int i = 0; i < 3; i++) in[i] = nn_spread_f32(&j->in[i], at, n, buf[i]);
}

static void float_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  float buf[3][NN_BLOCK];
  const float *in[3];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = part(at, to);
    read_block(j, at, n, buf, in);
    j->choose((float *)j->c->out[0] + at, in, (size_t)n);
  }
}

static void backward_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  float buf[3][NN_BLOCK], g[NN_BLOCK];
  const float *in[3];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = part(at, to);
    read_block(j, at, n, buf, in);
    float *put = j->acc ? g : j->g + at;
    j->grad(put, j->c->dout[0] + at, in, j->side, (size_t)n);
    if (j->acc) nn_put(j->g + at, g, 1, n);
  }
}

static job job_of(const nn_call *c) {
  job j = {.c = c};
  for (int i = 0; i < 3; i++)
    nn_spread_init(&j.in[i], c->in[i], c->in_shape[i], c->out_shape[0]);
  return j;
}

static void backward(nn_call *c, job *j) {
  const nn_shape *out = c->out_shape[0];
  for (int i = 0; i < 3; i++) {
    if (!c->din[i]) continue;
    int direct = j->in[i].flat;
    j->side = i, j->acc = direct && c->accumulate[i];
    j->g = direct ? c->din[i] : c->scratch;
    nn_ranges_run(c->run, nn_shape_size(out), 0, backward_range, j);
    if (!direct) nn_sum_to(c->din[i], c->in_shape[i], j->g, out, c->accumulate[i]);
  }
}

static size_t scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)a;
  nn_shape out;
  if (nn_shape_join("", n_in, in, &out, NULL) != NN_OK) return 0;
  return nn_size_mul((size_t)nn_shape_size(&out), sizeof(float));
}

/* --- where --------------------------------------------------------------------------------- */

static nn_status where_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)a;
  nn_status s = nn_shape_join("where", n_in, in, out, e);
  out->dtype = in[1]->dtype == in[2]->dtype ? in[1]->dtype
                                            : nn_dtype_join(in[1]->dtype, in[2]->dtype);
  return s;
}

static void choose(float *y, const float *const *in, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = in[0][i] != 0 ? in[1][i] : in[2][i];
}

static void choose_grad(float *g, const float *dy, const float *const *in, int side, size_t n) {
  for (size_t i = 0; i < n; i++) g[i] = (in[0][i] != 0) == (side == 1) && side > 0 ? dy[i] : 0;
}

static void integer_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  int32_t a[NN_BLOCK], b[NN_BLOCK];
  float m[NN_BLOCK];
  nn_tensor y;
  nn_tensor_init(&y, j->c->out_shape[0], j->c->out[0]);
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = part(at, to);
    const float *pm = nn_spread_f32(&j->in[0], at, n, m);
    const int32_t *pa = nn_spread_i32(&j->in[1], at, n, a);
    const int32_t *pb = nn_spread_i32(&j->in[2], at, n, b);
    for (int64_t i = 0; i < n; i++) nn_tensor_set(&y, at + i, pm[i] != 0 ? pa[i] : pb[i]);
  }
}

static void where_forward(nn_call *c) {
  job j = job_of(c);
  j.choose = choose;
  nn_range f = c->out_shape[0]->dtype == NN_F32 ? float_range : integer_range;
  nn_ranges_run(c->run, nn_shape_size(c->out_shape[0]), 0, f, &j);
}

static void where_backward(nn_call *c) {
  job j = job_of(c);
  j.grad = choose_grad;
  backward(c, &j);
}

const nn_op nn_op_where = {.name = "where", .n_in = 3, .n_out = 1, .shape = where_shape,
                           .forward = where_forward, .backward = where_backward,
                           .scratch = scratch};

/* --- clip ---------------------------------------------------------------------------------- */

static nn_status clip_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  (void)a;
  nn_status s = nn_shape_join("clip", n_in, in, out, e);
  if (out->dtype != NN_F32) out->dtype = NN_I32;
  return s;
}

static void clip(float *y, const float *const *in, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float x = in[0][i], low = in[1][i], high = in[2][i];
    x = x < low ? low : x;
    y[i] = x > high ? high : x;
  }
}

static void clip_grad(float *g, const float *dy, const float *const *in, int side, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float x = in[0][i], low = in[1][i], high = in[2][i];
    int chosen = x < low ? 1 : x > high ? 2 : 0;
    g[i] = chosen == side ? dy[i] : 0;
  }
}

static void clip_integers(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  int32_t buf[3][NN_BLOCK], *y = j->c->out[0];
  const int32_t *in[3];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = part(at, to);
    for (int i = 0; i < 3; i++) in[i] = nn_spread_i32(&j->in[i], at, n, buf[i]);
    for (int64_t i = 0; i < n; i++) {
      int32_t x = in[0][i] < in[1][i] ? in[1][i] : in[0][i];
      y[at + i] = x > in[2][i] ? in[2][i] : x;
    }
  }
}

static void clip_forward(nn_call *c) {
  job j = job_of(c);
  j.choose = clip;
  nn_range f = c->out_shape[0]->dtype == NN_F32 ? float_range : clip_integers;
  nn_ranges_run(c->run, nn_shape_size(c->out_shape[0]), 0, f, &j);
}

static void clip_backward(nn_call *c) {
  job j = job_of(c);
  j.grad = clip_grad;
  backward(c, &j);
}

const nn_op nn_op_clip = {.name = "clip", .n_in = 3, .n_out = 1, .shape = clip_shape,
                          .forward = clip_forward, .backward = clip_backward, .scratch = scratch};
