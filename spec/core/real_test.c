/* The functions of core/real.h against those of the C library, which are good to 1 ulp of double:
 * at every 20011th float of the whole range, and where something special happens.
 */
#include "core/real.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "support/tap.h"

static const double special[] = {0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, INFINITY, -INFINITY,
                                 NAN, 0x1p-149, -0x1p-149, 0x1p-126, 89, -89, 104, -104, 3e38,
                                 -3e38,
                                 8, 1000, 4096, 1.5, -1.5, 0x1.fffffep-1, -0x1.fffffep-1};
enum { SPECIAL = sizeof special / sizeof *special };

static double float_at(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return (double)x;
}

/* The distance of two results in units of 2^-52 of the wanted one; huge for other kinds. */
static double off(double want, double got) {
  if (want != want || got != got) return (want != want) == (got != got) ? 0 : INFINITY;
  if (signbit(want) != signbit(got)) return INFINITY;
  if (want == got) return 0;
  if (isinf(want) || isinf(got)) return INFINITY;
  return fabs(got - want) / (fabs(want) < 0x1p-1000 ? 0x1p-1000 : fabs(want)) * 0x1p52;
}

/* A result below float's numbers need only be there. */
static double off_float(double want, double got) {
  return fabs(want) < 0x1p-150 && fabs(got) < 0x1p-150 && want == want ? 0 : off(want, got);
}

typedef double (*one)(double);
typedef double (*two)(double, double);

static void check_one(const char *name, one ours, one libm, double limit) {
  double worst = 0, at = 0;
  for (int64_t i = -SPECIAL; i <= UINT32_MAX; i += i < 0 ? 1 : 20011) {
    double x = i < 0 ? special[-i - 1] : float_at((uint32_t)i), e;
    if (fabs(x) > limit) continue;
    e = off_float(libm(x), ours(x));
    if (e > worst) worst = e, at = x;
  }
  tap_ok(worst <= 32, "%s: %.1f ulp of double, at %a", name, worst, at);
}

static void check_two(const char *name, two ours, two libm, double low, double high) {
  double worst = 0, at[2] = {0, 0};
  for (int i = 0; i < SPECIAL; i++)
    for (int j = 0; j < SPECIAL; j++) {
      double e = off_float(libm(special[i], special[j]), ours(special[i], special[j]));
      if (fabs(libm(special[i], special[j])) > 3.5e38) /* beyond float: the kind alone */
        e = ours(special[i], special[j]) > 3.5e38 || ours(special[i], special[j]) < -3.5e38 ? 0 : e;
      if (e > 1024) tap_ok(0, "%s(%g, %g) = %g", name, special[i], special[j],
                           ours(special[i], special[j]));
    }
  for (uint32_t i = 1; i < 300000; i++) {
    double x = low + (high - low) * (i * 2654435761u * 0x1p-32);
    double y = low + (high - low) * (i * 40503u % 65536 * 0x1p-16), e;
    e = off_float(libm(x, y), ours(x, y));
    if (e > worst) worst = e, at[0] = x, at[1] = y;
  }
  tap_ok(worst <= 256, "%s: %.1f ulp of double, at %a %a", name, worst, at[0], at[1]);
}

int main(void) {
  check_one("exp", nn_exp, exp, INFINITY);
  check_one("exp2", nn_exp2, exp2, 150);
  check_one("expm1", nn_expm1, expm1, INFINITY);
  check_one("log", nn_log, log, INFINITY);
  check_one("log2", nn_log2, log2, INFINITY);
  check_one("log10", nn_log10, log10, INFINITY);
  check_one("log1p", nn_log1p, log1p, INFINITY);
  check_one("cbrt", nn_cbrt, cbrt, INFINITY);
  check_one("sin", nn_sin, sin, 100);
  check_one("cos", nn_cos, cos, 100);
  check_one("tan", nn_tan, tan, 100);
  check_one("asin", nn_asin, asin, INFINITY);
  check_one("acos", nn_acos, acos, INFINITY);
  check_one("atan", nn_atan, atan, INFINITY);
  check_one("sinh", nn_sinh, sinh, 700);
  check_one("cosh", nn_cosh, cosh, 700);
  check_one("asinh", nn_asinh, asinh, INFINITY);
  check_one("acosh", nn_acosh, acosh, INFINITY);
  check_one("atanh", nn_atanh, atanh, INFINITY);
  check_one("erfc", nn_erfc, erfc, 10);
  check_two("pow", nn_pow, pow, 0, 20);
  check_two("atan2", nn_atan2, atan2, -9, 9);
  check_two("hypot", nn_hypot, hypot, -9, 9);
  tap_ok(off(tan(123456792.0), nn_tan(123456792.0)) < 0x1p30, "tan where |x| > 1e5");
  tap_ok(nn_pow(-0.0, -3) == -INFINITY && nn_pow(-INFINITY, 3) == -INFINITY, "odd powers");
  tap_ok(nn_pow(3, 2) == (float)nn_pow(3, 2) || (float)nn_pow(3, 2) == 9, "a whole power");
  return tap_done();
}
