/* Elementary functions of one double, made of the operations that IEEE 754 rounds in one way alone
 * (+ - * / sqrt, and exact ones: ldexp, frexp, floor): the same bits on every machine, which the C
 * libraries do not promise. For what is computed an element at a time; arrays have the kernels.
 *
 * Relative error below 2^-47 (spec/core/real_test.c), so results rounded to float are off by at
 * most 0.5001 ulp; pow: 2^-44; cos, sin and tan where |x| > 1e5: 2^-22. Infinities, NaN and signed
 * zeros as in C.
 */
#ifndef NN_CORE_REAL_H
#define NN_CORE_REAL_H

double nn_exp(double x);
double nn_exp2(double x);
double nn_expm1(double x);
double nn_log(double x);
double nn_log2(double x);
double nn_log10(double x);
double nn_log1p(double x);
double nn_pow(double x, double y);
double nn_cbrt(double x);
double nn_hypot(double x, double y); /* of floats: squares that overflow are not scaled */
double nn_sin(double x);             /* sin, cos, tan: of a float's value */
double nn_cos(double x);
double nn_tan(double x);
double nn_asin(double x);
double nn_acos(double x);
double nn_atan(double x);
double nn_atan2(double y, double x);
double nn_sinh(double x);
double nn_cosh(double x);
double nn_asinh(double x); /* asinh, acosh: of floats, as hypot */
double nn_acosh(double x);
double nn_atanh(double x);
double nn_erfc(double x);

#endif
