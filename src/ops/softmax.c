/* softmax, log_softmax over one axis. attrs.i[0]: the axis, 0-based.
 * Backward: dx = y (dy - sum(dy y)) and dx = dy - exp(y) sum(dy). Along an inner axis the lines lie
 * side by side, and blocks of them are worked on together.
 */
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"

static nn_status check(const char *name, const nn_attrs *a, const nn_shape *in, nn_shape *out,
                       nn_error *e) {
  if (nn_axis(in, a->i[0]) < 0) return nn_axis_fail(name, in, a->i[0], e);
  return nn_shape_keep(in, NN_F32, out);
}

static nn_status softmax_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                               nn_shape *out, nn_error *e) {
  (void)n_in;
  return check("softmax", a, in[0], out, e);
}

static nn_status log_softmax_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                                   nn_shape *out, nn_error *e) {
  (void)n_in;
  return check("log_softmax", a, in[0], out, e);
}

static nn_lines lines_of(const nn_call *c) {
  return nn_lines_of(c->out_shape[0], nn_axis(c->out_shape[0], c->attrs->i[0]));
}

/* n lines of `width` side by side, `stride` between their elements. */
static void softmax_block(float *y, const float *x, int64_t n, int64_t width, int64_t stride,
                          int logs) {
  const nn_kernels *k = nn_kernels_get();
  float top[NN_BLOCK], sum[NN_BLOCK], t[NN_BLOCK];
  size_t w = (size_t)width;
  memcpy(top, x, w * sizeof *top);
  for (int64_t i = 1; i < n; i++) k->max(top, top, x + i * stride, w);
  memset(sum, 0, w * sizeof *sum);
  for (int64_t i = 0; i < n; i++) {
    float *at = logs ? t : y + i * stride;
    k->sub(y + i * stride, x + i * stride, top, w);
    k->exp(at, y + i * stride, w);
    k->add(sum, sum, at, w);
  }
  if (logs) k->log(sum, sum, w);
  for (int64_t i = 0; i < n; i++)
    (logs ? k->sub : k->div)(y + i * stride, y + i * stride, sum, w);
}

typedef struct job {
  const nn_call *c;
  const float *x;
  nn_lines l;
  int logs;
} job;

static void forward_rows(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  const nn_kernels *k = nn_kernels_get();
  (j->logs ? k->log_softmax : k->softmax)((float *)j->c->out[0] + from * j->l.n,
                                          j->x + from * j->l.n, (size_t)(to - from),
                                          (size_t)j->l.n);
}

static void forward(const nn_call *c, int logs) {
  job j = {c, nn_input_f32(c, 0, c->scratch), lines_of(c), logs};
  const nn_lines l = j.l;
  float *y = c->out[0];
  if (l.n == 0) return;
  if (l.inner == 1) {
    nn_ranges_run(c->run, l.outer, 1 + NN_RANGE / l.n, forward_rows, &j);
    return;
  }
  for (int64_t o = 0; o < l.outer; o++)
    for (int64_t i = 0; i < l.inner; i += NN_BLOCK) {
      int64_t at = o * l.n * l.inner + i, width = l.inner - i < NN_BLOCK ? l.inner - i : NN_BLOCK;
      softmax_block(y + at, j.x + at, l.n, width, l.inner, logs);
    }
}

static void softmax_forward(nn_call *c) { forward(c, 0); }
static void log_softmax_forward(nn_call *c) { forward(c, 1); }

static size_t scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)a, (void)n_in;
  return nn_input_f32_bytes(in[0]);
}

/* g = the gradient of one element of `width` lines. */
static void gradient(float *g, const float *dy, const float *y, const float *total, size_t w,
                     int logs) {
  const nn_kernels *k = nn_kernels_get();
  if (logs) {
    k->exp(g, y, w);
    k->mul(g, g, total, w);
    k->sub(g, dy, g, w);
  } else {
    k->sub(g, dy, total, w);
    k->mul(g, g, y, w);
  }
}

static void gradient_block(float *dx, const float *dy, const float *y, int acc, nn_lines l,
                           int64_t width, int logs) {
  const nn_kernels *k = nn_kernels_get();
  float total[NN_BLOCK] = {0}, g[NN_BLOCK];
  size_t w = (size_t)width;
  for (int64_t i = 0; i < l.n; i++) {
    const float *term = dy + i * l.inner;
    if (!logs) {
      k->mul(g, dy + i * l.inner, y + i * l.inner, w);
      term = g;
    }
    k->add(total, total, term, w);
  }
  for (int64_t i = 0; i < l.n; i++) {
    gradient(g, dy + i * l.inner, y + i * l.inner, total, w, logs);
    nn_put(dx + i * l.inner, g, acc, width);
  }
}

static void log_softmax_row(float *dx, const float *dy, const float *y, int acc, int64_t n) {
  const nn_kernels *k = nn_kernels_get();
  float g[NN_BLOCK], total = k->sum(dy, (size_t)n);
  for (int64_t i = 0; i < n; i += NN_BLOCK) {
    size_t w = (size_t)(n - i < NN_BLOCK ? n - i : NN_BLOCK);
    k->exp(g, y + i, w);
    k->mul_scalar(g, g, total, w);
    k->sub(g, dy + i, g, w);
    nn_put(dx + i, g, acc, (int64_t)w);
  }
}

static void backward(const nn_call *c, int logs) {
  nn_lines l = lines_of(c);
  const float *dy = c->dout[0], *y = c->out[0];
  float *dx = c->din[0];
  int acc = c->accumulate[0];
  if (!dx || l.n == 0) return;
  if (l.inner == 1 && !logs) {
    nn_kernels_get()->softmax_grad(dx, dy, y, acc, (size_t)l.outer, (size_t)l.n);
    return;
  }
  for (int64_t o = 0; o < l.outer; o++) {
    int64_t line = o * l.n * l.inner;
    if (l.inner == 1) {
      log_softmax_row(dx + line, dy + line, y + line, acc, l.n);
      continue;
    }
    for (int64_t i = 0; i < l.inner; i += NN_BLOCK) {
      int64_t at = line + i, width = l.inner - i < NN_BLOCK ? l.inner - i : NN_BLOCK;
      gradient_block(dx + at, dy + at, y + at, acc, l, width, logs);
    }
  }
}

static void softmax_backward(nn_call *c) { backward(c, 0); }
static void log_softmax_backward(nn_call *c) { backward(c, 1); }

const nn_op nn_op_softmax = {.name = "softmax", .n_in = 1, .n_out = 1, .flags = NN_OP_USES_Y,
                             .shape = softmax_shape, .forward = softmax_forward,
                             .backward = softmax_backward, .scratch = scratch};
const nn_op nn_op_log_softmax = {.name = "log_softmax", .n_in = 1, .n_out = 1,
                                 .flags = NN_OP_USES_Y, .shape = log_softmax_shape,
                                 .forward = log_softmax_forward,
                                 .backward = log_softmax_backward, .scratch = scratch};
