/* The shared machinery of elementwise ops of one input. A family is a file of block functions and
 * one line an op:
 *   f: y = f(x) over n elements;  g: dx = dy f'(x), which may use y;  p: attrs.f
 */
#ifndef NN_OPS_UNARY_H
#define NN_OPS_UNARY_H

#include "ops/block.h"
#include "ops/ops.h"

typedef struct nn_unary {
  void (*f)(float *y, const float *x, size_t n, const double *p);
  void (*g)(float *dx, const float *dy, const float *x, const float *y, size_t n, const double *p);
  int32_t (*fi)(int32_t x); /* NULL: integers are computed as floats */
} nn_unary;

nn_status nn_unary_shape(const nn_unary *op, const nn_shape *in, nn_shape *out);
void nn_unary_forward(const nn_call *c, const nn_unary *op);
void nn_unary_backward(const nn_call *c, const nn_unary *op);

/* One element at a time: x is it, p the parameters; in gradients also y and d, an element of dy. */
#define NN_UNARY_F(name, expression)                                               \
  static void f_##name(float *out, const float *in, size_t n, const double *p) {   \
    (void)p;                                                                       \
    for (size_t i = 0; i < n; i++) {                                               \
      const float x = in[i];                                                       \
      out[i] = (float)(expression);                                                \
    }                                                                              \
  }
#define NN_UNARY_G(name, expression)                                                     \
  static void g_##name(float *out, const float *dy, const float *in, const float *value, \
                       size_t n, const double *p) {                                      \
    (void)p;                                                                             \
    for (size_t i = 0; i < n; i++) {                                                     \
      const float d = dy[i], x = in[i], y = value[i];                                    \
      (void)x, (void)y;                                                                  \
      out[i] = (float)(expression);                                                      \
    }                                                                                    \
  }
#define NN_UNARY_KERNEL(name, kernel)                                              \
  static void f_##name(float *out, const float *in, size_t n, const double *p) {   \
    (void)p;                                                                       \
    nn_kernels_get()->kernel(out, in, n);                                          \
  }
#define NN_UNARY_BASE(op, f, g, fi, back, more)                                           \
  static const nn_unary u_##op = {f, g, fi};                                              \
  static nn_status shape_##op(const nn_attrs *attrs, int n_in, const nn_shape *const *in, \
                              nn_shape *out, nn_error *e) {                               \
    (void)attrs, (void)n_in, (void)e;                                                     \
    return nn_unary_shape(&u_##op, in[0], out);                                           \
  }                                                                                       \
  static void forward_##op(nn_call *c) { nn_unary_forward(c, &u_##op); }                  \
  const nn_op nn_op_##op = {.name = #op, .n_in = 1, .n_out = 1,                           \
                            .flags = NN_OP_USES_Y | (more), .shape = shape_##op,          \
                            .forward = forward_##op, .backward = back};
/* An op with a gradient, with one that needs y alone, without. */
#define NN_UNARY(op, f, g, fi)                                             \
  static void backward_##op(nn_call *c);                                   \
  NN_UNARY_BASE(op, f, g, fi, backward_##op, 0)                            \
  static void backward_##op(nn_call *c) { nn_unary_backward(c, &u_##op); }
#define NN_UNARY_Y(op, f, g)                                               \
  static void backward_##op(nn_call *c);                                   \
  NN_UNARY_BASE(op, f, g, NULL, backward_##op, NN_OP_INPLACE)              \
  static void backward_##op(nn_call *c) { nn_unary_backward(c, &u_##op); }

#endif
