#include "ops/binary.h"

#include <string.h>

typedef struct job {
  const nn_binary *op;
  const nn_call *c;
  nn_spread in[2];
  int side, acc; /* backward: of which input */
  float *g;
} job;

static int all_flat(const job *j, nn_dtype t) {
  return j->in[0].flat && j->in[1].flat && j->in[0].dtype == t && j->in[1].dtype == t;
}

static void forward_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  float a[NN_BLOCK], b[NN_BLOCK], *y = j->c->out[0];
  int64_t step = all_flat(j, NN_F32) ? to - from : NN_BLOCK;
  for (int64_t at = from; at < to; at += step) {
    int64_t n = to - at < step ? to - at : step;
    j->op->f(y + at, nn_spread_f32(&j->in[0], at, n, a), nn_spread_f32(&j->in[1], at, n, b),
             (size_t)n);
  }
}

static void integer_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  int32_t a[NN_BLOCK], b[NN_BLOCK], *y = j->c->out[0];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = to - at < NN_BLOCK ? to - at : NN_BLOCK;
    j->op->fi(y + at, nn_spread_i32(&j->in[0], at, n, a), nn_spread_i32(&j->in[1], at, n, b),
              (size_t)n);
  }
}

static void job_init(job *j, const nn_binary *op, const nn_call *c) {
  j->op = op, j->c = c;
  for (int i = 0; i < 2; i++)
    nn_spread_init(&j->in[i], c->in[i], c->in_shape[i], c->out_shape[0]);
}

void nn_binary_forward(const nn_call *c, const nn_binary *op) {
  job j;
  job_init(&j, op, c);
  nn_range f = c->out_shape[0]->dtype == NN_I32 ? integer_range : forward_range;
  nn_ranges_run(c->run, nn_shape_size(c->out_shape[0]), 0, f, &j);
}

void nn_binary_pass(float *g, const float *dy, const float *a, const float *b, const float *y,
                 size_t n) {
  (void)a, (void)b, (void)y;
  memcpy(g, dy, n * sizeof *g);
}

static void backward_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  float a[NN_BLOCK], b[NN_BLOCK], g[NN_BLOCK];
  const float *dy = j->c->dout[0], *y = j->c->out[0];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = to - at < NN_BLOCK ? to - at : NN_BLOCK;
    float *put = j->acc ? g : j->g + at;
    j->op->grad[j->side](put, dy + at, nn_spread_f32(&j->in[0], at, n, a),
                         nn_spread_f32(&j->in[1], at, n, b), y + at, (size_t)n);
    if (j->acc) nn_put(j->g + at, g, 1, n);
  }
}

void nn_binary_backward(const nn_call *c, const nn_binary *op) {
  job j;
  job_init(&j, op, c);
  const nn_shape *out = c->out_shape[0];
  for (int i = 0; i < 2; i++) {
    if (!c->din[i]) continue;
    if (op->grad[i] == nn_binary_pass) {
      nn_sum_to(c->din[i], c->in_shape[i], c->dout[0], out, c->accumulate[i]);
      continue;
    }
    int direct = j.in[i].flat;
    j.side = i, j.acc = direct && c->accumulate[i];
    j.g = direct ? c->din[i] : c->scratch;
    nn_ranges_run(c->run, nn_shape_size(out), 0, backward_range, &j);
    if (!direct) nn_sum_to(c->din[i], c->in_shape[i], j.g, out, c->accumulate[i]);
  }
}

size_t nn_binary_scratch(const nn_attrs *attrs, int n_in, const nn_shape *const *in) {
  (void)attrs;
  nn_shape out;
  if (nn_shape_join("", n_in, in, &out, NULL) != NN_OK) return 0;
  size_t n = (size_t)nn_shape_size(&out), bytes = nn_size_mul(n, sizeof(float));
  return (size_t)nn_shape_size(in[0]) == n && (size_t)nn_shape_size(in[1]) == n ? 0 : bytes;
}

nn_status nn_binary_shape(const char *name, const nn_binary *op, const nn_shape *const *in,
                              nn_shape *out, nn_error *e) {
  nn_status s = nn_shape_join(name, 2, in, out, e);
  if (!op->fi) out->dtype = NN_F32;
  return s;
}
