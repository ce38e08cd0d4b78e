/* Circular and hyperbolic functions, their inverses, and the error function. */
#include <math.h>

#include "core/real.h"
#include "ops/unary.h"

NN_UNARY_KERNEL(sin, sin)
NN_UNARY_G(sin, d * nn_cos(x))
NN_UNARY(sin, f_sin, g_sin, NULL)

NN_UNARY_KERNEL(cos, cos)
NN_UNARY_G(cos, -d * nn_sin(x))
NN_UNARY(cos, f_cos, g_cos, NULL)

NN_UNARY_F(tan, nn_tan(x))
NN_UNARY_G(tan, d * (1 + y * y))
NN_UNARY_Y(tan, f_tan, g_tan)

NN_UNARY_F(arcsin, nn_asin(x))
NN_UNARY_G(arcsin, d / sqrtf((1 - x) * (1 + x)))
NN_UNARY(arcsin, f_arcsin, g_arcsin, NULL)

NN_UNARY_F(arccos, nn_acos(x))
NN_UNARY_G(arccos, -d / sqrtf((1 - x) * (1 + x)))
NN_UNARY(arccos, f_arccos, g_arccos, NULL)

NN_UNARY_F(arctan, nn_atan(x))
NN_UNARY_G(arctan, d / (1 + x * x))
NN_UNARY(arctan, f_arctan, g_arctan, NULL)

NN_UNARY_F(sinh, nn_sinh(x))
NN_UNARY_G(sinh, d * nn_cosh(x))
NN_UNARY(sinh, f_sinh, g_sinh, NULL)

NN_UNARY_F(cosh, nn_cosh(x))
NN_UNARY_G(cosh, d * nn_sinh(x))
NN_UNARY(cosh, f_cosh, g_cosh, NULL)

NN_UNARY_KERNEL(tanh, tanh)
static void g_tanh(float *dx, const float *dy, const float *x, const float *y, size_t n,
                   const double *p) {
  (void)x, (void)p;
  nn_kernels_get()->tanh_grad(dx, dy, y, 0, n);
}
NN_UNARY_Y(tanh, f_tanh, g_tanh)

NN_UNARY_F(arcsinh, nn_asinh(x))
NN_UNARY_G(arcsinh, d / nn_hypot(x, 1))
NN_UNARY(arcsinh, f_arcsinh, g_arcsinh, NULL)

NN_UNARY_F(arccosh, nn_acosh(x))
NN_UNARY_G(arccosh, d / (sqrtf(x - 1) * sqrtf(x + 1)))
NN_UNARY(arccosh, f_arccosh, g_arccosh, NULL)

NN_UNARY_F(arctanh, nn_atanh(x))
NN_UNARY_G(arctanh, d / ((1 - x) * (1 + x)))
NN_UNARY(arctanh, f_arctanh, g_arctanh, NULL)

/* 2 / sqrt(pi) */
#define SLOPE 1.1283791670955126
NN_UNARY_KERNEL(erf, erf)
NN_UNARY_G(erf, d * SLOPE * nn_exp(-(double)x * x))
NN_UNARY(erf, f_erf, g_erf, NULL)

NN_UNARY_F(erfc, nn_erfc(x))
NN_UNARY_G(erfc, -d * SLOPE * nn_exp(-(double)x * x))
NN_UNARY(erfc, f_erfc, g_erfc, NULL)

/* A start by Winitzki's formula ("A handy approximation for the error function and its inverse",
 * 2008), good to some 0.002, and Newton's steps in double on erfc of the nearer tail, where digits
 * are not lost. */
static double erf_inverse(double y) {
  if (!(fabs(y) < 1)) return fabs(y) == 1 ? copysign(INFINITY, y) : NAN;
  const double a = 0.147;
  double l = nn_log1p(-y * y), t = 2 / (M_PI * a) + l / 2;
  double size = sqrt(sqrt(t * t - l / a) - t), tail = 1 - fabs(y);
  for (int i = 0; i < 4; i++) size += (nn_erfc(size) - tail) / (SLOPE * nn_exp(-size * size));
  return copysign(size, y);
}
NN_UNARY_F(erfinv, erf_inverse(x))
NN_UNARY_G(erfinv, d / SLOPE * nn_exp((double)y * y))
NN_UNARY_Y(erfinv, f_erfinv, g_erfinv)
