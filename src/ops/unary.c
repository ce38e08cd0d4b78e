#include "ops/unary.h"

nn_status nn_unary_shape(const nn_unary *op, const nn_shape *in, nn_shape *out) {
  return nn_shape_keep(in, in->dtype != NN_F32 && op->fi ? NN_I32 : NN_F32, out);
}

typedef struct job {
  const nn_unary *op;
  const nn_call *c;
} job;

static void forward_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  const double *p = j->c->attrs->f;
  float buf[NN_BLOCK], *y = j->c->out[0];
  nn_dtype t = j->c->in_shape[0]->dtype;
  if (t == NN_F32) {
    j->op->f(y + from, (const float *)j->c->in[0] + from, (size_t)(to - from), p);
    return;
  }
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = to - at < NN_BLOCK ? to - at : NN_BLOCK;
    j->op->f(y + at, nn_array_f32(j->c->in[0], t, at, n, buf), (size_t)n, p);
  }
}

static void integer_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  int32_t *y = j->c->out[0];
  const int32_t *x = j->c->in[0];
  const uint8_t *bytes = j->c->in[0];
  int is_bytes = j->c->in_shape[0]->dtype == NN_U8;
  for (int64_t i = from; i < to; i++) y[i] = j->op->fi(is_bytes ? bytes[i] : x[i]);
}

static void backward_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  const double *p = j->c->attrs->f;
  const float *x = j->c->in[0], *y = j->c->out[0], *dy = j->c->dout[0];
  float *dx = j->c->din[0], g[NN_BLOCK];
  if (!j->c->accumulate[0]) {
    j->op->g(dx + from, dy + from, x + from, y + from, (size_t)(to - from), p);
    return;
  }
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = to - at < NN_BLOCK ? to - at : NN_BLOCK;
    j->op->g(g, dy + at, x + at, y + at, (size_t)n, p);
    nn_put(dx + at, g, 1, n);
  }
}

void nn_unary_forward(const nn_call *c, const nn_unary *op) {
  job j = {op, c};
  nn_range f = c->out_shape[0]->dtype == NN_I32 ? integer_range : forward_range;
  nn_ranges_run(c->run, nn_shape_size(c->out_shape[0]), 0, f, &j);
}

void nn_unary_backward(const nn_call *c, const nn_unary *op) {
  job j = {op, c};
  if (c->din[0]) nn_ranges_run(c->run, nn_shape_size(c->out_shape[0]), 0, backward_range, &j);
}
