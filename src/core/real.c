#include "core/real.h"

#include <math.h>
#include <stdint.h>

#include "core/isa.h"

/* ln 2 and pi / 2 in parts: the first ones end in zeros, so that small multiples are exact. */
#define LN2_HI 0x1.62e42feep-1
#define LN2_LO 0x1.a39ef35793c76p-33
#define HALF_PI_1 0x1.921fb544p+0
#define HALF_PI_2 0x1.0b4611a6p-34
#define HALF_PI_3 0x1.3198a2e037073p-69
#define HALF_PI 0x1.921fb54442d18p+0

/* The coefficients c0 + c1 x + ... of n terms. */
static double poly(double x, const double *c, int n) {
  double y = c[n - 1];
  for (int i = n - 2; i >= 0; i--) y = y * x + c[i];
  return y;
}

/* (exp(r) - 1 - r) / r^2 for |r| < 0.36: the Taylor series. */
static double exp_tail(double r) {
  static const double c[] = {1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040,
                             1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800,
                             1.0 / 479001600, 1.0 / 6227020800};
  return poly(r, c, 12);
}

/* x = k ln 2 + r. */
double nn_exp(double x) {
  if (!(x < 710)) return x != x ? x : INFINITY;
  if (x < -746) return 0;
  double k = floor(x * 0x1.71547652b82fep+0 + 0.5);
  double r = (x - k * LN2_HI) - k * LN2_LO;
  return ldexp(1 + (r + r * r * exp_tail(r)), (int)k);
}
double nn_exp2(double x) {
  if (!(fabs(x) < 1100)) return nn_exp(x);
  double k = floor(x + 0.5);
  return ldexp(nn_exp((x - k) * M_LN2), (int)k);
}
double nn_expm1(double x) {
  return fabs(x) < 0.35 ? x + x * x * exp_tail(x) : nn_exp(x) - 1;
}

/* x = m 2^e with m about 1; log(m) = 2 atanh(s), s = (m - 1) / (m + 1). */
double nn_log(double x) {
  static const double c[] = {1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15,
                             1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
  int e;
  if (!(x > 0)) return x == 0 ? -INFINITY : NAN;
  if (x == INFINITY) return x;
  double m = frexp(x, &e);
  if (m < M_SQRT1_2) m *= 2, e--;
  double s = (m - 1) / (m + 1), z = s * s;
  return e * LN2_HI + (e * LN2_LO + (2 * s + 2 * s * z * poly(z, c, 11)));
}
double nn_log2(double x) {
  int e;
  return frexp(x, &e) == 0.5 ? e - 1 : nn_log(x) * (1 / M_LN2);
}
double nn_log10(double x) { return nn_log(x) * (1 / M_LN10); }
/* The rounding error of 1 + x goes into the sum. */
double nn_log1p(double x) {
  double u = 1 + x;
  if (u == 1) return x;
  if (!(u > 0) || u == INFINITY) return nn_log(u);
  return nn_log(u) + (x - (u - 1)) / u;
}

static int is_whole(double x) { return floor(x) == x; }

double nn_pow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (x != x || y != y) return NAN;
  double a = fabs(x), sign = x < 0 && is_whole(y) && !is_whole(y / 2) ? -1 : 1;
  if (a == 1) return isinf(y) || is_whole(y) ? sign : NAN;
  if (x < 0 && !is_whole(y) && a != INFINITY) return NAN;
  if (a == 0) sign = signbit(x) && is_whole(y) && !is_whole(y / 2) ? -1 : 1;
  return sign * nn_exp(y * nn_log(a)); /* log of 0 and infinity included */
}

/* A step by Newton mends the digits that dividing the logarithm leaves. */
double nn_cbrt(double x) {
  if (x == 0 || !isfinite(x)) return x;
  double a = fabs(x), y = nn_exp(nn_log(a) / 3);
  y -= (y * y * y - a) / (3 * y * y);
  return copysign(y, x);
}
double nn_hypot(double x, double y) {
  return isinf(x) || isinf(y) ? INFINITY : sqrt(x * x + y * y);
}

/* x = q pi/2 + r with |r| <= pi/4; q modulo 4 by its low bits. */
static double reduce(double x, int32_t *q) {
  if (!(fabs(x) <= 1e5)) return nn_reduce_pi2((float)x, q);
  double k = floor(x * 0x1.45f306dc9c883p-1 + 0.5);
  *q = (int32_t)k;
  return ((x - k * HALF_PI_1) - k * HALF_PI_2) - k * HALF_PI_3;
}
static double near_sin(double r) {
  static const double c[] = {-1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800,
                             1.0 / 6227020800, -1.0 / 1307674368000};
  double z = r * r;
  return r + r * z * poly(z, c, 7);
}
static double near_cos(double r) {
  static const double c[] = {-1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800,
                             1.0 / 479001600, -1.0 / 87178291200, 1.0 / 20922789888000};
  double z = r * r;
  return 1 + z * poly(z, c, 8);
}
static double turned(double r, int32_t q) {
  double y = q & 1 ? near_cos(r) : near_sin(r);
  return q & 2 ? -y : y;
}
double nn_sin(double x) {
  int32_t q;
  double r = reduce(x, &q);
  return turned(r, q);
}
double nn_cos(double x) {
  int32_t q;
  double r = reduce(x, &q);
  return turned(r, q + 1);
}
double nn_tan(double x) {
  int32_t q;
  double r = reduce(x, &q);
  return q & 1 ? -near_cos(r) / near_sin(r) : near_sin(r) / near_cos(r);
}

/* atan(t) = 2 atan(t / (1 + sqrt(1 + t^2))), twice, then the series. */
double nn_atan(double x) {
  static const double c[] = {-1.0 / 3, 1.0 / 5, -1.0 / 7, 1.0 / 9, -1.0 / 11, 1.0 / 13, -1.0 / 15,
                             1.0 / 17, -1.0 / 19, 1.0 / 21, -1.0 / 23};
  double a = fabs(x), t = a > 1 ? 1 / a : a;
  t = t / (1 + sqrt(1 + t * t));
  t = t / (1 + sqrt(1 + t * t));
  double z = t * t, y = 4 * (t + t * z * poly(z, c, 11));
  return copysign(a > 1 ? HALF_PI - y : y, x);
}
double nn_atan2(double y, double x) {
  if (x != x || y != y) return NAN;
  double a = fabs(y), b = fabs(x);
  double t = nn_atan(a == b && (a == 0 || a == INFINITY) ? a != 0 : a / b);
  return copysign(signbit(x) ? 2 * HALF_PI - t : t, y);
}
double nn_asin(double x) {
  return fabs(x) < 1e-20 ? x : nn_atan(x / sqrt((1 - x) * (1 + x)));
}
double nn_acos(double x) { return 2 * nn_atan(sqrt((1 - x) / (1 + x))); }

double nn_sinh(double x) {
  double t = nn_expm1(fabs(x));
  if (t == INFINITY) return x;
  return copysign(0.5 * (t + t / (t + 1)), x);
}
double nn_cosh(double x) {
  double e = nn_exp(fabs(x));
  return 0.5 * (e + 1 / e);
}
double nn_asinh(double x) {
  double a = fabs(x);
  if (a == INFINITY) return x;
  return copysign(nn_log1p(a + a * a / (1 + sqrt(1 + a * a))), x);
}
double nn_acosh(double x) {
  double t = x - 1;
  if (!(t >= 0)) return NAN;
  return t == INFINITY ? t : nn_log1p(t + sqrt(t * (t + 2)));
}
double nn_atanh(double x) {
  double a = fabs(x);
  return copysign(0.5 * nn_log1p(2 * a / (1 - a)), x);
}

/* erf(a) = 2 / sqrt(pi) exp(-a^2) (a + 2 a^3 / 3 + 4 a^5 / 15 + ...) */
static double erf_series(double a) {
  double term = a, sum = a;
  for (int n = 1; term > sum * 0x1p-60; n++) {
    term *= 2 * a * a / (2 * n + 1);
    sum += term;
  }
  return 1.1283791670955126 * nn_exp(-a * a) * sum;
}
/* Laplace's continued fraction, 120 terms of it, where a >= 1.25. */
static double erfc_fraction(double a) {
  double f = a;
  for (int n = 120; n > 0; n--) f = a + 0.5 * n / f;
  return 0.5641895835477563 * nn_exp(-a * a) / f;
}
double nn_erfc(double x) {
  double a = fabs(x);
  if (!(a < 40)) return x != x ? x : x < 0 ? 2 : 0;
  double y = a < 1.25 ? 1 - erf_series(a) : erfc_fraction(a);
  return x < 0 ? 2 - y : y;
}
