/* Elementwise ops of two inputs with NumPy's broadcasting. Two integer inputs give int32 where the
 * op has an integer form. The gradient is computed in the output's shape and then summed over the
 * axes along which an input was broadcast.
 */
#include <math.h>
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"

typedef void (*forward_fn)(float *y, const float *a, const float *b, size_t n);
typedef void (*integer_fn)(int32_t *y, const int32_t *a, const int32_t *b, size_t n);
typedef void (*gradient_fn)(float *g, const float *dy, const float *a, const float *b,
                            const float *y, size_t n);

typedef struct binary {
  forward_fn f;
  integer_fn fi; /* NULL: integers are computed as floats */
  gradient_fn grad[2];
} binary;

typedef struct job {
  const binary *op;
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

static void job_init(job *j, const binary *op, const nn_call *c) {
  j->op = op, j->c = c;
  for (int i = 0; i < 2; i++)
    nn_spread_init(&j->in[i], c->in[i], c->in_shape[i], c->out_shape[0]);
}

static void binary_forward(const nn_call *c, const binary *op) {
  job j;
  job_init(&j, op, c);
  nn_range f = c->out_shape[0]->dtype == NN_I32 ? integer_range : forward_range;
  nn_ranges_run(c->run, nn_shape_size(c->out_shape[0]), 0, f, &j);
}

static void pass(float *g, const float *dy, const float *a, const float *b, const float *y,
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

static void binary_backward(const nn_call *c, const binary *op) {
  job j;
  job_init(&j, op, c);
  const nn_shape *out = c->out_shape[0];
  for (int i = 0; i < 2; i++) {
    if (!c->din[i]) continue;
    if (op->grad[i] == pass) {
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

static size_t binary_scratch(const nn_attrs *attrs, int n_in, const nn_shape *const *in) {
  (void)attrs;
  nn_shape out;
  if (nn_shape_join("", n_in, in, &out, NULL) != NN_OK) return 0;
  size_t n = (size_t)nn_shape_size(&out), bytes = nn_size_mul(n, sizeof(float));
  return (size_t)nn_shape_size(in[0]) == n && (size_t)nn_shape_size(in[1]) == n ? 0 : bytes;
}

static nn_status binary_shape(const char *name, const binary *op, const nn_shape *const *in,
                              nn_shape *out, nn_error *e) {
  nn_status s = nn_shape_join(name, 2, in, out, e);
  if (!op->fi) out->dtype = NN_F32;
  return s;
}

/* Loops over one block: v, w are the elements of a and b, r that of y, d that of dy. */
#define FORWARD(name, expression)                                            \
  static void f_##name(float *y, const float *a, const float *b, size_t n) { \
    for (size_t i = 0; i < n; i++) {                                         \
      float v = a[i], w = b[i];                                              \
      y[i] = expression;                                                     \
    }                                                                        \
  }
#define KERNEL(name, kernel)                                                 \
  static void f_##name(float *y, const float *a, const float *b, size_t n) { \
    nn_kernels_get()->kernel(y, a, b, n);                                    \
  }
#define INTEGER(name, expression)                                                  \
  static void i_##name(int32_t *y, const int32_t *a, const int32_t *b, size_t n) { \
    for (size_t i = 0; i < n; i++) {                                               \
      int64_t v = a[i], w = b[i];                                                  \
      y[i] = (int32_t)(expression);                                                \
    }                                                                              \
  }
#define GRADIENT(name, expression)                                                         \
  static void g_##name(float *g, const float *dy, const float *a, const float *b,          \
                       const float *y, size_t n) {                                         \
    (void)a, (void)b, (void)y;                                                             \
    for (size_t i = 0; i < n; i++) {                                                       \
      float d = dy[i], v = a[i], w = b[i], r = y[i];                                       \
      (void)v, (void)w, (void)r;                                                           \
      g[i] = expression;                                                                   \
    }                                                                                      \
  }
#define BINARY(op, integer, grad_a, grad_b)                                              \
  static const binary b_##op = {f_##op, integer, {grad_a, grad_b}};                      \
  static nn_status shape_##op(const nn_attrs *attrs, int n_in, const nn_shape *const *in, \
                              nn_shape *out, nn_error *e) {                              \
    (void)attrs, (void)n_in;                                                             \
    return binary_shape(#op, &b_##op, in, out, e);                                       \
  }                                                                                      \
  static void forward_##op(nn_call *c) { binary_forward(c, &b_##op); }                   \
  static void backward_##op(nn_call *c) { binary_backward(c, &b_##op); }                 \
  const nn_op nn_op_##op = {.name = #op, .n_in = 2, .n_out = 1, .flags = NN_OP_USES_Y,   \
                            .shape = shape_##op, .forward = forward_##op,                \
                            .backward = backward_##op, .scratch = binary_scratch};

KERNEL(add, add)
INTEGER(add, v + w)
BINARY(add, i_add, pass, pass)

KERNEL(subtract, sub)
INTEGER(subtract, v - w)
GRADIENT(minus, -d)
BINARY(subtract, i_subtract, pass, g_minus)

KERNEL(multiply, mul)
INTEGER(multiply, v * w)
GRADIENT(times_b, d * w)
GRADIENT(times_a, d * v)
BINARY(multiply, i_multiply, g_times_b, g_times_a)

KERNEL(divide, div)
GRADIENT(divide_a, d / w)
GRADIENT(divide_b, -d *r / w)
BINARY(divide, NULL, g_divide_a, g_divide_b)

/* Ties go to the first input. */
KERNEL(maximum, max)
INTEGER(maximum, v > w ? v : w)
GRADIENT(maximum_a, v >= w ? d : 0)
GRADIENT(maximum_b, v >= w ? 0 : d)
BINARY(maximum, i_maximum, g_maximum_a, g_maximum_b)

KERNEL(minimum, min)
INTEGER(minimum, v < w ? v : w)
GRADIENT(minimum_a, v <= w ? d : 0)
GRADIENT(minimum_b, v <= w ? 0 : d)
BINARY(minimum, i_minimum, g_minimum_a, g_minimum_b)
