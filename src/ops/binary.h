/* The shared machinery of elementwise ops of two inputs with NumPy's broadcasting. Two integer
 * inputs give int32 where the op has an integer form. The gradient is computed in the output's
 * shape and then summed over the axes along which an input was broadcast.
 */
#ifndef NN_OPS_BINARY_H
#define NN_OPS_BINARY_H

#include "ops/block.h"
#include "ops/ops.h"

typedef struct nn_binary {
  void (*f)(float *y, const float *a, const float *b, size_t n);
  void (*fi)(int32_t *y, const int32_t *a, const int32_t *b, size_t n); /* NULL: as floats */
  void (*grad[2])(float *g, const float *dy, const float *a, const float *b, const float *y,
                  size_t n);
} nn_binary;

nn_status nn_binary_shape(const char *name, const nn_binary *op, const nn_shape *const *in,
                          nn_shape *out, nn_error *e);
void nn_binary_forward(const nn_call *c, const nn_binary *op);
void nn_binary_backward(const nn_call *c, const nn_binary *op);
size_t nn_binary_scratch(const nn_attrs *attrs, int n_in, const nn_shape *const *in);
/* The gradient of an input is dy itself. */
void nn_binary_pass(float *g, const float *dy, const float *a, const float *b, const float *y,
                    size_t n);

/* Loops over one block: v, w are the elements of a and b, r that of y, d that of dy. */
#define NN_BINARY_F(name, expression)                                                             \
  static void f_##name(float *y, const float *a, const float *b, size_t n) {                      \
    for (size_t i = 0; i < n; i++) {                                                              \
      float v = a[i], w = b[i];                                                                   \
      y[i] = expression;                                                                          \
    }                                                                                             \
  }
#define NN_BINARY_KERNEL(name, kernel)                                                            \
  static void f_##name(float *y, const float *a, const float *b, size_t n) {                      \
    nn_kernels_get()->kernel(y, a, b, n);                                                         \
  }
#define NN_BINARY_I(name, expression)                                                             \
  static void i_##name(int32_t *y, const int32_t *a, const int32_t *b, size_t n) {                \
    for (size_t i = 0; i < n; i++) {                                                              \
      int64_t v = a[i], w = b[i];                                                                 \
      y[i] = (int32_t)(expression);                                                               \
    }                                                                                             \
  }
#define NN_BINARY_G(name, expression)                                                             \
  static void g_##name(float *g, const float *dy, const float *a, const float *b,                 \
                       const float *y, size_t n) {                                                \
    (void)a, (void)b, (void)y;                                                                    \
    for (size_t i = 0; i < n; i++) {                                                              \
      float d = dy[i], v = a[i], w = b[i], r = y[i];                                              \
      (void)v, (void)w, (void)r;                                                                  \
      g[i] = expression;                                                                          \
    }                                                                                             \
  }
#define NN_BINARY(op, integer, grad_a, grad_b)                                                    \
  static const nn_binary b_##op = {f_##op, integer, {grad_a, grad_b}};                            \
  static nn_status shape_##op(const nn_attrs *attrs, int n_in, const nn_shape *const *in,         \
                              nn_shape *out, nn_error *e) {                                       \
    (void)attrs, (void)n_in;                                                                      \
    return nn_binary_shape(#op, &b_##op, in, out, e);                                             \
  }                                                                                               \
  static void forward_##op(nn_call *c) { nn_binary_forward(c, &b_##op); }                         \
  static void backward_##op(nn_call *c) { nn_binary_backward(c, &b_##op); }                       \
  const nn_op nn_op_##op = {.name = #op, .n_in = 2, .n_out = 1, .flags = NN_OP_USES_Y,            \
                            .shape = shape_##op, .forward = forward_##op,                         \
                            .backward = backward_##op, .scratch = nn_binary_scratch};

#endif
