/* Powers, roots, exponentials, logarithms, signs and roundings. */
#include <math.h>

#include "core/real.h"
#include "ops/unary.h"

NN_UNARY_KERNEL(negative, neg)
NN_UNARY_G(negative, -d)
static int32_t i_negative(int32_t x) { return (int32_t)(0u - (uint32_t)x); }
NN_UNARY(negative, f_negative, g_negative, i_negative)

NN_UNARY_KERNEL(abs, abs)
NN_UNARY_G(abs, x > 0 ? d : x < 0 ? -d : 0)
static int32_t i_abs(int32_t x) { return x < 0 ? i_negative(x) : x; }
NN_UNARY(abs, f_abs, g_abs, i_abs)

NN_UNARY_KERNEL(square, square)
NN_UNARY_G(square, 2 * d * x)
static int32_t i_square(int32_t x) { return (int32_t)((uint32_t)x * (uint32_t)x); }
NN_UNARY(square, f_square, g_square, i_square)

NN_UNARY_F(sign, x > 0 ? 1 : x < 0 ? -1 : x)
NN_UNARY_G(zero, 0 * d)
static int32_t i_sign(int32_t x) { return (x > 0) - (x < 0); }
NN_UNARY(sign, f_sign, g_zero, i_sign)

NN_UNARY_F(floor, floorf(x))
NN_UNARY(floor, f_floor, g_zero, NULL)
NN_UNARY_F(ceil, ceilf(x))
NN_UNARY(ceil, f_ceil, g_zero, NULL)
NN_UNARY_F(round, rintf(x))
NN_UNARY(round, f_round, g_zero, NULL)
static int32_t i_same(int32_t x) { return x; }
NN_UNARY_F(trunc, truncf(x))
NN_UNARY(trunc, f_trunc, g_zero, i_same)

NN_UNARY_KERNEL(reciprocal, reciprocal)
NN_UNARY_G(reciprocal, -d * y * y)
NN_UNARY_Y(reciprocal, f_reciprocal, g_reciprocal)

NN_UNARY_KERNEL(sqrt, sqrt)
/* As in TensorFlow a gradient of 0 stays 0 where the slope is infinite. */
NN_UNARY_G(sqrt, d == 0 ? 0 : d * (0.5f / y))
NN_UNARY_Y(sqrt, f_sqrt, g_sqrt)

NN_UNARY_KERNEL(rsqrt, rsqrt)
NN_UNARY_G(rsqrt, d == 0 ? 0 : -0.5f * d * y * y * y)
NN_UNARY_Y(rsqrt, f_rsqrt, g_rsqrt)

NN_UNARY_KERNEL(exp, exp)
NN_UNARY_G(exp, d * y)
NN_UNARY_Y(exp, f_exp, g_exp)

NN_UNARY_F(exp2, nn_exp2(x))
NN_UNARY_G(exp2, d * y * (float)M_LN2)
NN_UNARY_Y(exp2, f_exp2, g_exp2)

NN_UNARY_KERNEL(expm1, expm1)
NN_UNARY_G(expm1, d * (y + 1))
NN_UNARY_Y(expm1, f_expm1, g_expm1)

NN_UNARY_KERNEL(log, log)
NN_UNARY_G(log, d / x)
NN_UNARY(log, f_log, g_log, NULL)

NN_UNARY_KERNEL(log1p, log1p)
NN_UNARY_G(log1p, d / (1 + x))
NN_UNARY(log1p, f_log1p, g_log1p, NULL)

NN_UNARY_F(log2, nn_log2(x))
NN_UNARY_G(log2, d / (x * (float)M_LN2))
NN_UNARY(log2, f_log2, g_log2, NULL)

NN_UNARY_F(log10, nn_log10(x))
NN_UNARY_G(log10, d / (x * (float)M_LN10))
NN_UNARY(log10, f_log10, g_log10, NULL)

NN_UNARY_F(cbrt, nn_cbrt(x))
NN_UNARY_G(cbrt, d / (3 * y * y))
NN_UNARY_Y(cbrt, f_cbrt, g_cbrt)

/* attrs.f: what replaces NaN, +inf, -inf */
NN_UNARY_F(nan_to_num, isnan(x) ? p[0] : !isinf(x) ? (double)x : x > 0 ? p[1] : p[2])
NN_UNARY_G(nan_to_num, isfinite(x) ? d : 0)
NN_UNARY(nan_to_num, f_nan_to_num, g_nan_to_num, i_same)
