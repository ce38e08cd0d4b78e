/* cumsum, cumprod along an axis: attrs.i[0], 0-based. Integers give int32.
 * Backward: cumsum's is the cumsum of dy from the end. cumprod's is that of dy y, divided by x; a
 * line that holds a 0 is done by products of the others.
 */
#include "ops/block.h"
#include "ops/ops.h"

static nn_status check(const char *name, const nn_attrs *a, const nn_shape *in, nn_shape *out,
                       nn_error *e) {
  if (nn_axis(in, a->i[0]) < 0) return nn_axis_fail(name, in, a->i[0], e);
  return nn_shape_keep(in, in->dtype == NN_F32 ? NN_F32 : NN_I32, out);
}

static nn_status cumsum_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                              nn_shape *out, nn_error *e) {
  (void)n_in;
  return check("cumsum", a, in[0], out, e);
}

static nn_status cumprod_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                               nn_shape *out, nn_error *e) {
  (void)n_in;
  return check("cumprod", a, in[0], out, e);
}

typedef void (*line_fn)(const nn_call *c, int64_t at, int64_t n, int64_t step);

static void each_line(const nn_call *c, line_fn f) {
  nn_lines l = nn_lines_of(c->out_shape[0], nn_axis(c->out_shape[0], c->attrs->i[0]));
  for (int64_t o = 0; o < l.outer; o++)
    for (int64_t i = 0; i < l.inner; i++) f(c, o * l.n * l.inner + i, l.n, l.inner);
}

static void scan_line(const nn_call *c, int64_t at, int64_t n, int64_t step, int times) {
  nn_tensor x, y;
  nn_tensor_init(&x, c->in_shape[0], c->in[0]);
  nn_tensor_init(&y, c->out_shape[0], c->out[0]);
  double all = times ? 1 : 0;
  for (int64_t i = 0; i < n; i++) {
    double v = nn_tensor_get(&x, at + i * step);
    all = times ? all * v : all + v;
    nn_tensor_set(&y, at + i * step, all);
  }
}

static void sum_line(const nn_call *c, int64_t at, int64_t n, int64_t step) {
  scan_line(c, at, n, step, 0);
}
static void prod_line(const nn_call *c, int64_t at, int64_t n, int64_t step) {
  scan_line(c, at, n, step, 1);
}

static void put(const nn_call *c, int64_t at, double g) {
  float *to = c->din[0] + at;
  *to = (float)(c->accumulate[0] ? *to + g : g);
}

static void sum_back(const nn_call *c, int64_t at, int64_t n, int64_t step) {
  double all = 0;
  for (int64_t i = n - 1; i >= 0; i--) {
    all += c->dout[0][at + i * step];
    put(c, at + i * step, all);
  }
}

/* dx_i = sum over j >= i of dy_j times the product of x_0 .. x_j without x_i */
static void prod_back_with_zeros(const nn_call *c, int64_t at, int64_t n, int64_t step) {
  const float *x = c->in[0], *dy = c->dout[0];
  double before = 1;
  for (int64_t i = 0; i < n; i++) {
    double others = before, g = 0;
    for (int64_t j = i; j < n && others != 0; j++) {
      if (j > i) others *= x[at + j * step];
      g += dy[at + j * step] * others;
    }
    put(c, at + i * step, g);
    before *= x[at + i * step];
  }
}

static void prod_back(const nn_call *c, int64_t at, int64_t n, int64_t step) {
  const float *x = c->in[0], *y = c->out[0], *dy = c->dout[0];
  for (int64_t i = 0; i < n; i++)
    if (x[at + i * step] == 0) {
      prod_back_with_zeros(c, at, n, step);
      return;
    }
  double all = 0;
  for (int64_t i = n - 1; i >= 0; i--) {
    all += (double)dy[at + i * step] * y[at + i * step];
    put(c, at + i * step, all / x[at + i * step]);
  }
}

static void cumsum_forward(nn_call *c) { each_line(c, sum_line); }
static void cumprod_forward(nn_call *c) { each_line(c, prod_line); }
static void cumsum_backward(nn_call *c) {
  if (c->din[0]) each_line(c, sum_back);
}
static void cumprod_backward(nn_call *c) {
  if (c->din[0]) each_line(c, prod_back);
}

const nn_op nn_op_cumsum = {.name = "cumsum", .n_in = 1, .n_out = 1, .shape = cumsum_shape,
                            .forward = cumsum_forward, .backward = cumsum_backward};
const nn_op nn_op_cumprod = {.name = "cumprod", .n_in = 1, .n_out = 1, .flags = NN_OP_USES_Y,
                             .shape = cumprod_shape, .forward = cumprod_forward,
                             .backward = cumprod_backward};
