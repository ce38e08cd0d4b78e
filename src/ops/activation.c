/* Activations. At corners the gradient is the one that TensorFlow takes for Keras's formula:
 * clipped by clip_by_value it passes at the bounds, by relu6 it does not.
 */
#include <math.h>

#include "core/real.h"
#include "ops/unary.h"

/* As NN_UNARY_F and NN_UNARY_G, with s = kernel(x) computed a block at a time. */
#define WITH_F(name, kernel, expression)                                         \
  static void f_##name(float *out, const float *in, size_t n, const double *p) { \
    float value[NN_BLOCK];                                                       \
    (void)p;                                                                     \
    for (size_t from = 0; from < n; from += NN_BLOCK) {                          \
      size_t w = n - from < NN_BLOCK ? n - from : NN_BLOCK;                      \
      nn_kernels_get()->kernel(value, in + from, w);                             \
      for (size_t i = 0; i < w; i++) {                                           \
        const float x = in[from + i], s = value[i];                              \
        out[from + i] = (float)(expression);                                     \
      }                                                                          \
    }                                                                            \
  }
#define WITH_G(name, kernel, expression)                                                 \
  static void g_##name(float *out, const float *dy, const float *in, const float *value, \
                       size_t n, const double *p) {                                      \
    float block[NN_BLOCK];                                                               \
    (void)p, (void)value;                                                                \
    for (size_t from = 0; from < n; from += NN_BLOCK) {                                  \
      size_t w = n - from < NN_BLOCK ? n - from : NN_BLOCK;                              \
      nn_kernels_get()->kernel(block, in + from, w);                                     \
      for (size_t i = 0; i < w; i++) {                                                   \
        const float x = in[from + i], s = block[i], d = dy[from + i];                    \
        (void)x;                                                                         \
        out[from + i] = (float)(expression);                                             \
      }                                                                                  \
    }                                                                                    \
  }

/* --- the family of relu -------------------------------------------------------------------- */

NN_UNARY_KERNEL(relu, relu)
static void g_relu(float *dx, const float *dy, const float *x, const float *y, size_t n,
                   const double *p) {
  (void)x, (void)p;
  nn_kernels_get()->relu_grad(dx, dy, y, 0, n);
}
static int32_t i_relu(int32_t x) { return x > 0 ? x : 0; }
NN_UNARY(relu, f_relu, g_relu, i_relu)

NN_UNARY_F(relu6, x > 6 ? 6 : x > 0 ? x : x != x ? x : 0)
NN_UNARY_G(relu6, x > 0 && x < 6 ? d : 0)
NN_UNARY(relu6, f_relu6, g_relu6, NULL)

/* attrs.f[0]: the slope */
NN_UNARY_F(leaky_relu, x > 0 ? x : (float)p[0] * x)
NN_UNARY_G(leaky_relu, x > 0 ? d : (float)p[0] * d)
NN_UNARY(leaky_relu, f_leaky_relu, g_leaky_relu, NULL)

/* attrs.f: slope, ceiling (infinite for none), threshold. What lies above the threshold is kept and
 * clipped to 0 .. ceiling; below it the line slope * (x - threshold) is added. */
static float general(float x, const double *p) {
  float slope = (float)p[0], ceiling = (float)p[1], limit = (float)p[2], y = x > limit ? x : 0;
  if (!isinf(ceiling)) y = y > ceiling ? ceiling : y < 0 ? 0 : y;
  return x < limit && slope != 0 ? y - slope * (limit - x) : y;
}
static float general_slope(float x, const double *p) {
  float slope = (float)p[0], ceiling = (float)p[1], limit = (float)p[2], y = x > limit ? x : 0;
  int inside = isinf(ceiling) || (y >= 0 && y <= ceiling);
  if (ceiling == 6 && limit == 0) inside = x > 0 && x < 6;
  float up = x > limit && inside ? 1 : 0;
  int at_corner = x == limit && limit == 0 && isinf(ceiling);
  return x < limit || at_corner ? up + slope : up;
}
NN_UNARY_F(relu_general, general(x, p))
NN_UNARY_G(relu_general, d * general_slope(x, p))
NN_UNARY(relu_general, f_relu_general, g_relu_general, NULL)

WITH_F(elu, expm1, x > 0 ? x : (float)p[0] * s)
WITH_G(elu, exp, x > 0 ? d : (float)p[0] * s * d)
NN_UNARY(elu, f_elu, g_elu, NULL)

#define SELU_SCALE 1.0507009873554805f
#define SELU_ALPHA 1.6732632423543772f
WITH_F(selu, expm1, SELU_SCALE * (x > 0 ? x : SELU_ALPHA * s))
/* Where exp(x) rounds to 1 the value is 0, and the slope that of the other side. */
WITH_G(selu, exp, s >= 1 ? d * SELU_SCALE : d * SELU_SCALE * SELU_ALPHA * s)
NN_UNARY(selu, f_selu, g_selu, NULL)

/* [x]+ + alpha expm1(min(x, 0) / alpha): both halves pass the gradient at 0 */
NN_UNARY_F(celu, x > 0 ? x : (float)p[0] * nn_expm1(x / (float)p[0]))
NN_UNARY_G(celu, x > 0 ? d : x == 0 ? 2 * d : d * nn_exp(x / (float)p[0]))
NN_UNARY(celu, f_celu, g_celu, NULL)

/* --- the family of the sigmoid ------------------------------------------------------------- */

NN_UNARY_KERNEL(sigmoid, sigmoid)
static void g_sigmoid(float *dx, const float *dy, const float *x, const float *y, size_t n,
                      const double *p) {
  (void)x, (void)p;
  nn_kernels_get()->sigmoid_grad(dx, dy, y, 0, n);
}
NN_UNARY_Y(sigmoid, f_sigmoid, g_sigmoid)

NN_UNARY_KERNEL(silu, silu)
WITH_G(silu, sigmoid, d * s * (1 + x * (1 - s)))
NN_UNARY(silu, f_silu, g_silu, NULL)

NN_UNARY_KERNEL(softplus, softplus)
WITH_G(softplus, sigmoid, d * s)
NN_UNARY(softplus, f_softplus, g_softplus, NULL)

static void f_log_sigmoid(float *y, const float *x, size_t n, const double *p) {
  const nn_kernels *k = nn_kernels_get();
  (void)p;
  k->neg(y, x, n);
  k->softplus(y, y, n);
  k->neg(y, y, n);
}
NN_UNARY_G(log_sigmoid, d / (1 + nn_exp(x)))
NN_UNARY(log_sigmoid, f_log_sigmoid, g_log_sigmoid, NULL)

/* With e = exp(x) and w = e (e + 2): tanh(softplus(x)) = w / (w + 2), whose slope is
 * 4 (w + 1) / (w + 2)^2 e / (1 + e). Above 20 it is 1. */
static float mish_slope(float x, float e) {
  float w = e * (e + 2), v = w + 2;
  return w / v + x * (4 * (w + 1) / v) * (e / (1 + e)) / v;
}
WITH_F(mish, exp, x > 20 ? x : x * (s * (s + 2)) / (s * (s + 2) + 2))
WITH_G(mish, exp, x > 20 ? d : d * mish_slope(x, s))
NN_UNARY(mish, f_mish, g_mish, NULL)

NN_UNARY_F(hard_sigmoid, x >= 3 ? 1 : x <= -3 ? 0 : (x + 3) / 6)
NN_UNARY_G(hard_sigmoid, x > -3 && x < 3 ? d / 6 : 0)
NN_UNARY(hard_sigmoid, f_hard_sigmoid, g_hard_sigmoid, NULL)

NN_UNARY_F(hard_silu, x * (x >= 3 ? 1 : x <= -3 ? 0 : (x + 3) / 6))
NN_UNARY_G(hard_silu, x >= 3 ? d : x <= -3 ? 0 : d * ((x + 3) / 6 + x / 6))
NN_UNARY(hard_silu, f_hard_silu, g_hard_silu, NULL)

NN_UNARY_F(sparse_sigmoid, x <= -1 ? 0 : x >= 1 ? 1 : 0.5f * (x + 1))
NN_UNARY_G(sparse_sigmoid, x > -1 && x < 1 ? 0.5f * d : 0)
NN_UNARY(sparse_sigmoid, f_sparse_sigmoid, g_sparse_sigmoid, NULL)

NN_UNARY_F(sparse_plus, x <= -1 ? 0 : x < 1 ? 0.25f * (x + 1) * (x + 1) : x)
NN_UNARY_G(sparse_plus, x <= -1 ? 0 : x < 1 ? d * 0.5f * (x + 1) : d)
NN_UNARY(sparse_plus, f_sparse_plus, g_sparse_plus, NULL)

/* --- gelu ---------------------------------------------------------------------------------- */

#define SQRT_HALF 0.7071067811865476f
#define NORMAL_PEAK 0.3989422804014327f /* 1 / sqrt(2 pi) */

NN_UNARY_KERNEL(gelu, gelu)
static void g_gelu(float *dx, const float *dy, const float *x, const float *y, size_t n,
                   const double *p) {
  const nn_kernels *k = nn_kernels_get();
  float cdf[NN_BLOCK], pdf[NN_BLOCK];
  (void)y, (void)p;
  for (size_t from = 0; from < n; from += NN_BLOCK) {
    size_t w = n - from < NN_BLOCK ? n - from : NN_BLOCK;
    k->mul_scalar(cdf, x + from, SQRT_HALF, w);
    k->square(pdf, cdf, w);
    k->neg(pdf, pdf, w);
    k->exp(pdf, pdf, w);
    k->erf(cdf, cdf, w);
    for (size_t i = 0; i < w; i++)
      dx[from + i] =
          dy[from + i] * (0.5f * (1 + cdf[i]) + x[from + i] * NORMAL_PEAK * pdf[i]);
  }
}
NN_UNARY(gelu, f_gelu, g_gelu, NULL)

#define GELU_A 0.7978845608028654f /* sqrt(2 / pi) */
#define GELU_B 0.044715f
NN_UNARY_KERNEL(gelu_tanh, gelu_tanh)
static void g_gelu_tanh(float *dx, const float *dy, const float *x, const float *y, size_t n,
                        const double *p) {
  float t[NN_BLOCK];
  (void)y, (void)p;
  for (size_t from = 0; from < n; from += NN_BLOCK) {
    size_t w = n - from < NN_BLOCK ? n - from : NN_BLOCK;
    for (size_t i = 0; i < w; i++) {
      float v = x[from + i];
      t[i] = GELU_A * (v + GELU_B * v * v * v);
    }
    nn_kernels_get()->tanh(t, t, w);
    for (size_t i = 0; i < w; i++) {
      float v = x[from + i], inner = GELU_A * (1 + 3 * GELU_B * v * v);
      dx[from + i] = dy[from + i] * (0.5f * (1 + t[i]) + 0.5f * v * (1 - t[i] * t[i]) * inner);
    }
  }
}
NN_UNARY(gelu_tanh, f_gelu_tanh, g_gelu_tanh, NULL)

/* --- others -------------------------------------------------------------------------------- */

NN_UNARY_F(softsign, x / (1 + fabsf(x)))
NN_UNARY_G(softsign, d / ((1 + fabsf(x)) * (1 + fabsf(x))))
NN_UNARY(softsign, f_softsign, g_softsign, NULL)

NN_UNARY_F(squareplus, (x + sqrt((double)x * x + p[0])) / 2)
NN_UNARY_G(squareplus, d * (1 + x / sqrt((double)x * x + p[0])) / 2)
NN_UNARY(squareplus, f_squareplus, g_squareplus, NULL)

NN_UNARY_F(hard_tanh, x > 1 ? 1 : x < -1 ? -1 : x)
NN_UNARY_G(hard_tanh, x > 1 || x < -1 ? 0 : d)
NN_UNARY(hard_tanh, f_hard_tanh, g_hard_tanh, NULL)

WITH_F(tanh_shrink, tanh, x - s)
WITH_G(tanh_shrink, tanh, d * s * s)
NN_UNARY(tanh_shrink, f_tanh_shrink, g_tanh_shrink, NULL)

NN_UNARY_F(soft_shrink, x > (float)p[0]    ? x - (float)p[0]
                        : x < -(float)p[0] ? x + (float)p[0]
                                           : 0)
NN_UNARY_G(shrink, x > (float)p[0] || x < -(float)p[0] ? d : 0)
NN_UNARY(soft_shrink, f_soft_shrink, g_shrink, NULL)

NN_UNARY_F(hard_shrink, x > (float)p[0] || x < -(float)p[0] ? x : 0)
NN_UNARY(hard_shrink, f_hard_shrink, g_shrink, NULL)

/* attrs.f: threshold, what stands for the elements that do not pass it */
NN_UNARY_F(threshold, x > (float)p[0] ? x : (float)p[1])
NN_UNARY_G(threshold, x > (float)p[0] ? d : 0)
NN_UNARY(threshold, f_threshold, g_threshold, NULL)
