/* argmax, argmin: where along an axis the first largest or smallest element is, as int32.
 *   attrs.i[0] axis, 0-based; attrs.i[1] 1 keeps the axis as 1; attrs.i[2] is added
 * NaN counts as the extreme.
 */
#include <math.h>

#include "ops/block.h"
#include "ops/ops.h"

static nn_status check(const char *name, const nn_attrs *a, const nn_shape *in, nn_shape *out,
                       nn_error *e) {
  int axis = nn_axis(in, a->i[0]);
  if (axis < 0) return nn_axis_fail(name, in, a->i[0], e);
  if (in->dim[axis] == 0) return nn_fail(e, NN_ERR_SHAPE, "%s: no elements along the axis", name);
  *out = *in;
  out->dtype = NN_I32;
  if (a->i[1]) {
    out->dim[axis] = 1;
    return NN_OK;
  }
  out->ndim--;
  for (int d = axis; d < out->ndim; d++) out->dim[d] = in->dim[d + 1];
  return NN_OK;
}

static nn_status argmax_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                              nn_shape *out, nn_error *e) {
  (void)n_in;
  return check("argmax", a, in[0], out, e);
}

static nn_status argmin_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                              nn_shape *out, nn_error *e) {
  (void)n_in;
  return check("argmin", a, in[0], out, e);
}

static int32_t line_of_floats(const float *x, int64_t n, int64_t step, int least) {
  int64_t best = 0;
  float top = x[0];
  for (int64_t i = 1; i < n && !isnan(top); i++) {
    float v = x[i * step];
    if (least ? v < top || isnan(v) : v > top || isnan(v)) best = i, top = v;
  }
  return (int32_t)best;
}

static int32_t line_of_any(const nn_tensor *t, int64_t at, int64_t n, int64_t step, int least) {
  int64_t best = 0;
  double top = nn_tensor_get(t, at);
  for (int64_t i = 1; i < n; i++) {
    double v = nn_tensor_get(t, at + i * step);
    if (least ? v < top : v > top) best = i, top = v;
  }
  return (int32_t)best;
}

static void find(const nn_call *c, int least) {
  nn_tensor t;
  nn_tensor_init(&t, c->in_shape[0], c->in[0]);
  nn_lines l = nn_lines_of(c->in_shape[0], nn_axis(c->in_shape[0], c->attrs->i[0]));
  int32_t *y = c->out[0], base = (int32_t)c->attrs->i[2];
  for (int64_t o = 0; o < l.outer; o++)
    for (int64_t i = 0; i < l.inner; i++) {
      int64_t at = o * l.n * l.inner + i;
      *y++ = base + (t.shape.dtype == NN_F32
                         ? line_of_floats((const float *)t.data + at, l.n, l.inner, least)
                         : line_of_any(&t, at, l.n, l.inner, least));
    }
}

static void argmax_forward(nn_call *c) { find(c, 0); }
static void argmin_forward(nn_call *c) { find(c, 1); }

const nn_op nn_op_argmax = {.name = "argmax", .n_in = 1, .n_out = 1, .shape = argmax_shape,
                            .forward = argmax_forward};
const nn_op nn_op_argmin = {.name = "argmin", .n_in = 1, .n_out = 1, .shape = argmin_shape,
                            .forward = argmin_forward};
