/* sparsemax along an axis (attrs.i[0], 0-based): the point of the simplex nearest to x (Martins and
 * Astudillo 2016, algorithm 1). With z sorted downwards the support is the largest k for which
 * 1 + k z_k > sum of z_1 .. z_k; tau = (that sum - 1) / k; y = [x - tau]+.
 * Backward, on the support: dx = dy - mean(dy); elsewhere 0.
 */
#include <stdlib.h>

#include "ops/block.h"
#include "ops/ops.h"

static nn_status shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                       nn_error *e) {
  (void)n_in;
  if (nn_axis(in[0], a->i[0]) < 0) return nn_axis_fail("sparsemax", in[0], a->i[0], e);
  return nn_shape_keep(in[0], NN_F32, out);
}

static nn_lines lines_of(const nn_call *c) {
  return nn_lines_of(c->in_shape[0], nn_axis(c->in_shape[0], c->attrs->i[0]));
}

/* x as float32 where it is not, then one line to sort. */
static size_t scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  nn_lines l = nn_lines_of(in[0], nn_axis(in[0], a->i[0]));
  return nn_input_f32_bytes(in[0]) + (size_t)l.n * sizeof(float);
}

static int downwards(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x < y) - (x > y);
}

static double threshold(float *z, int64_t n) {
  qsort(z, (size_t)n, sizeof *z, downwards);
  double sum = 0, tau = 0;
  for (int64_t k = 1; k <= n; k++) {
    sum += z[k - 1];
    double t = (sum - 1) / (double)k;
    if (z[k - 1] > t) tau = t;
  }
  return tau;
}

static void forward(nn_call *c) {
  nn_lines l = lines_of(c);
  const float *x = nn_input_f32(c, 0, c->scratch);
  float *z = (float *)(void *)((char *)c->scratch + nn_input_f32_bytes(c->in_shape[0]));
  float *y = c->out[0];
  for (int64_t o = 0; o < l.outer; o++)
    for (int64_t i = 0; i < l.inner; i++) {
      int64_t at = o * l.n * l.inner + i;
      for (int64_t j = 0; j < l.n; j++) z[j] = x[at + j * l.inner];
      double tau = threshold(z, l.n);
      for (int64_t j = 0; j < l.n; j++) {
        double v = x[at + j * l.inner] - tau;
        y[at + j * l.inner] = v > 0 ? (float)v : 0;
      }
    }
}

static void backward(nn_call *c) {
  nn_lines l = lines_of(c);
  const float *y = c->out[0], *dy = c->dout[0];
  float *dx = c->din[0];
  for (int64_t line = 0; dx && line < l.outer * l.inner; line++) {
    int64_t at = line / l.inner * l.n * l.inner + line % l.inner, support = 0;
    double sum = 0;
    for (int64_t j = 0; j < l.n; j++)
      if (y[at + j * l.inner] > 0) sum += dy[at + j * l.inner], support++;
    for (int64_t j = 0; j < l.n; j++) {
      int64_t k = at + j * l.inner;
      float g = y[k] > 0 ? (float)(dy[k] - sum / (double)support) : 0;
      dx[k] = c->accumulate[0] ? dx[k] + g : g;
    }
  }
}

const nn_op nn_op_sparsemax = {.name = "sparsemax", .n_in = 1, .n_out = 1, .flags = NN_OP_USES_Y,
                               .shape = shape, .forward = forward, .backward = backward,
                               .scratch = scratch};
