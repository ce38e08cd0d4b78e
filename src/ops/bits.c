/* Whole numbers: bits, shifts, divisors; the next float. Floats are cut to int32 first. Shifts take
 * counts of 0 to 31; a right shift keeps the sign, a count beyond gives what the last bit leaves.
 */
#include <math.h>

#include "ops/binary.h"

static int32_t to_int(float v) { return v >= 2147483520.0f ? 2147483520 : (int32_t)v; }

static int32_t left(int64_t v, int64_t w) {
  return w < 0 || w > 31 ? 0 : (int32_t)((uint32_t)v << w);
}
static int32_t right(int64_t v, int64_t w) {
  return (int32_t)(v >> (w < 0 || w > 31 ? 31 : w));
}
static int64_t gcd(int64_t v, int64_t w) {
  if (v < 0) v = -v;
  if (w < 0) w = -w;
  while (w) {
    int64_t r = v % w;
    v = w;
    w = r;
  }
  return v;
}
static int64_t lcm(int64_t v, int64_t w) {
  int64_t g = gcd(v, w), n = g ? v / g * w : 0;
  return n < 0 ? -n : n;
}

NN_BINARY_G(nothing, 0 * d)

#define INTEGERS(op, expression)                                      \
  NN_BINARY_I(op, expression)                                         \
  static void f_##op(float *y, const float *a, const float *b, size_t n) { \
    for (size_t i = 0; i < n; i++) {                                  \
      int64_t v = to_int(a[i]), w = to_int(b[i]);                     \
      y[i] = (float)(expression);                                     \
    }                                                                 \
  }                                                                   \
  NN_BINARY(op, i_##op, g_nothing, g_nothing)

INTEGERS(bitwise_and, v & w)
INTEGERS(bitwise_or, v | w)
INTEGERS(bitwise_xor, v ^ w)
INTEGERS(gcd, gcd(v, w))
INTEGERS(lcm, lcm(v, w))
INTEGERS(left_shift, left(v, w))
INTEGERS(right_shift, right(v, w))

NN_BINARY_F(nextafter, nextafterf(v, w))
NN_BINARY_G(pass_a, d)
NN_BINARY(nextafter, NULL, g_pass_a, g_nothing)
