/* Comparisons, logic and tests: truth values as uint8. No gradient. Two integer inputs are compared
 * as integers.
 */
#include <math.h>

#include "ops/block.h"
#include "ops/ops.h"

typedef struct comparison {
  void (*f)(uint8_t *y, const float *a, const float *b, size_t n);
  void (*fi)(uint8_t *y, const int32_t *a, const int32_t *b, size_t n);
} comparison;

typedef struct job {
  const comparison *op;
  uint8_t *y;
  nn_spread a, b;
} job;

static void float_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  float a[NN_BLOCK], b[NN_BLOCK];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = to - at < NN_BLOCK ? to - at : NN_BLOCK;
    const float *pa = nn_spread_f32(&j->a, at, n, a), *pb = nn_spread_f32(&j->b, at, n, b);
    j->op->f(j->y + at, pa, pb, (size_t)n);
  }
}

static void integer_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  int32_t a[NN_BLOCK], b[NN_BLOCK];
  for (int64_t at = from; at < to; at += NN_BLOCK) {
    int64_t n = to - at < NN_BLOCK ? to - at : NN_BLOCK;
    const int32_t *pa = nn_spread_i32(&j->a, at, n, a), *pb = nn_spread_i32(&j->b, at, n, b);
    j->op->fi(j->y + at, pa, pb, (size_t)n);
  }
}

static void compare(const nn_call *c, const comparison *op) {
  job j = {.op = op, .y = c->out[0]};
  const nn_shape *a = c->in_shape[0], *b = c->in_shape[1], *out = c->out_shape[0];
  nn_spread_init(&j.a, c->in[0], a, out);
  nn_spread_init(&j.b, c->in[1], b, out);
  nn_range f = nn_dtype_join(a->dtype, b->dtype) == NN_F32 ? float_range : integer_range;
  nn_ranges_run(c->run, nn_shape_size(out), 0, f, &j);
}

#define LOOP(function, type, expression)                                            \
  static void function(uint8_t *y, const type *a, const type *b, size_t n) {        \
    for (size_t i = 0; i < n; i++) {                                                \
      type v = a[i], w = b[i];                                                      \
      y[i] = expression;                                                            \
    }                                                                               \
  }
#define COMPARE(op, expression)                                                           \
  LOOP(f_##op, float, expression)                                                         \
  LOOP(i_##op, int32_t, expression)                                                       \
  static const comparison c_##op = {f_##op, i_##op};                                      \
  static nn_status shape_##op(const nn_attrs *attrs, int n_in, const nn_shape *const *in, \
                              nn_shape *out, nn_error *e) {                               \
    (void)attrs;                                                                          \
    nn_status s = nn_shape_join(#op, n_in, in, out, e);                                   \
    out->dtype = NN_U8;                                                                   \
    return s;                                                                             \
  }                                                                                       \
  static void forward_##op(nn_call *c) { compare(c, &c_##op); }                           \
  const nn_op nn_op_##op = {.name = #op, .n_in = 2, .n_out = 1, .shape = shape_##op,      \
                            .forward = forward_##op};

COMPARE(equal, v == w)
COMPARE(not_equal, v != w)
COMPARE(greater, v > w)
COMPARE(greater_equal, v >= w)
COMPARE(less, v < w)
COMPARE(less_equal, v <= w)
COMPARE(logical_and, v != 0 && w != 0)
COMPARE(logical_or, v != 0 || w != 0)
COMPARE(logical_xor, (v != 0) != (w != 0))

/* --- of one input -------------------------------------------------------------------------- */

static nn_status test_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  (void)a, (void)n_in, (void)e;
  return nn_shape_keep(in[0], NN_U8, out);
}

static void test(const nn_call *c, int (*is)(float x)) {
  int64_t size = nn_shape_size(c->out_shape[0]);
  uint8_t *y = c->out[0];
  float buf[NN_BLOCK];
  for (int64_t at = 0; at < size; at += NN_BLOCK) {
    int64_t n = size - at < NN_BLOCK ? size - at : NN_BLOCK;
    const float *x = nn_array_f32(c->in[0], c->in_shape[0]->dtype, at, n, buf);
    for (int64_t i = 0; i < n; i++) y[at + i] = (uint8_t)is(x[i]);
  }
}

#define TEST(op, expression)                                                         \
  static int is_##op(float x) { return (expression) ? 1 : 0; }                       \
  static void forward_##op(nn_call *c) { test(c, is_##op); }                         \
  const nn_op nn_op_##op = {.name = #op, .n_in = 1, .n_out = 1, .shape = test_shape, \
                            .forward = forward_##op};

TEST(logical_not, x == 0)
TEST(isnan, isnan(x))
TEST(isinf, isinf(x))
TEST(isfinite, isfinite(x))
TEST(isposinf, isinf(x) && x > 0)
TEST(isneginf, isinf(x) && x < 0)
TEST(signbit, signbit(x))
