/* Arithmetic and other functions of two numbers. */
#include <math.h>

#include "core/real.h"
#include "ops/binary.h"

NN_BINARY_KERNEL(add, add)
NN_BINARY_I(add, v + w)
NN_BINARY(add, i_add, nn_binary_pass, nn_binary_pass)

NN_BINARY_KERNEL(subtract, sub)
NN_BINARY_I(subtract, v - w)
NN_BINARY_G(minus, -d)
NN_BINARY(subtract, i_subtract, nn_binary_pass, g_minus)

NN_BINARY_KERNEL(multiply, mul)
NN_BINARY_I(multiply, v * w)
NN_BINARY_G(times_b, d * w)
NN_BINARY_G(times_a, d * v)
NN_BINARY(multiply, i_multiply, g_times_b, g_times_a)

NN_BINARY_KERNEL(divide, div)
NN_BINARY_G(divide_a, d / w)
NN_BINARY_G(divide_b, -d *r / w)
NN_BINARY(divide, NULL, g_divide_a, g_divide_b)

/* Ties go to the first input. */
NN_BINARY_KERNEL(maximum, max)
NN_BINARY_I(maximum, v > w ? v : w)
NN_BINARY_G(maximum_a, v >= w ? d : 0)
NN_BINARY_G(maximum_b, v >= w ? 0 : d)
NN_BINARY(maximum, i_maximum, g_maximum_a, g_maximum_b)

NN_BINARY_KERNEL(minimum, min)
NN_BINARY_I(minimum, v < w ? v : w)
NN_BINARY_G(minimum_a, v <= w ? d : 0)
NN_BINARY_G(minimum_b, v <= w ? 0 : d)
NN_BINARY(minimum, i_minimum, g_minimum_a, g_minimum_b)

NN_BINARY_F(divide_no_nan, w == 0 ? 0 : v / w)
NN_BINARY_G(divide_no_nan_a, w == 0 ? 0 : d / w)
NN_BINARY_G(divide_no_nan_b, w == 0 ? 0 : -d * r / w)
NN_BINARY(divide_no_nan, NULL, g_divide_no_nan_a, g_divide_no_nan_b)

/* Rounds down; an integer divided by 0 is 0. */
NN_BINARY_F(floor_divide, floorf(v / w))
NN_BINARY_I(floor_divide, w == 0 ? 0 : v / w - (v % w != 0 && (v < 0) != (w < 0)))
NN_BINARY_G(nothing, 0 * d)
NN_BINARY(floor_divide, i_floor_divide, g_nothing, g_nothing)

/* mod has the sign of the divisor, fmod that of the dividend. */
static float floor_mod(float v, float w) {
  float r = fmodf(v, w);
  return r != 0 && (r < 0) != (w < 0) ? r + w : r;
}
NN_BINARY_F(mod, floor_mod(v, w))
NN_BINARY_I(mod, w == 0 ? 0 : (v % w + w) % w)
NN_BINARY_G(mod_b, -d * floorf(v / w))
NN_BINARY(mod, i_mod, nn_binary_pass, g_mod_b)

NN_BINARY_F(fmod, fmodf(v, w))
NN_BINARY_I(fmod, w == 0 ? 0 : v % w)
NN_BINARY_G(fmod_b, -d * truncf(v / w))
NN_BINARY(fmod, i_fmod, nn_binary_pass, g_fmod_b)

/* Where the base is not positive the gradient of the exponent is 0. */
static int32_t int_power(int64_t v, int64_t w) {
  uint32_t r = 1, base = (uint32_t)v;
  if (w < 0) return v == 1 ? 1 : v == -1 ? (w % 2 ? -1 : 1) : 0;
  for (; w > 0; w >>= 1, base *= base)
    if (w & 1) r *= base;
  return (int32_t)r;
}
NN_BINARY_F(power, w == 2 ? v * v : nn_pow(v, w))
NN_BINARY_I(power, int_power(v, w))
NN_BINARY_G(power_a, w == 2 ? 2 * d * v : w == 0 ? 0 : d * w * nn_pow(v, w - 1))
NN_BINARY_G(power_b, v > 0 ? d * r * nn_log(v) : 0)
NN_BINARY(power, i_power, g_power_a, g_power_b)

NN_BINARY_F(arctan2, nn_atan2(v, w))
NN_BINARY_G(arctan2_a, d * w / (v * v + w * w))
NN_BINARY_G(arctan2_b, -d * v / (v * v + w * w))
NN_BINARY(arctan2, NULL, g_arctan2_a, g_arctan2_b)

NN_BINARY_F(hypot, nn_hypot(v, w))
NN_BINARY_G(hypot_a, r == 0 ? 0 : d * v / r)
NN_BINARY_G(hypot_b, r == 0 ? 0 : d * w / r)
NN_BINARY(hypot, NULL, g_hypot_a, g_hypot_b)

/* log(exp(a) + exp(b)): the larger plus log1p(exp(-distance)) */
static float log_add(float v, float w) {
  if (v == w) return v + (float)M_LN2; /* infinities too */
  return (float)((v > w ? v : w) + nn_log1p(nn_exp(-fabsf(v - w))));
}
NN_BINARY_F(logaddexp, log_add(v, w))
NN_BINARY_G(logaddexp_a, d / (1 + nn_exp(w - v)))
NN_BINARY_G(logaddexp_b, d / (1 + nn_exp(v - w)))
NN_BINARY(logaddexp, NULL, g_logaddexp_a, g_logaddexp_b)
