/* The vector kernels, one table an instruction set, chosen once at run time.
 *
 * Every kernel gives the same bits in every table: elementwise kernels work lane by lane with the
 * same polynomial; sums use 16 interleaved partial sums (element i goes to lane i % 16), which are
 * added in one fixed tree. Arrays need no alignment. Sizes are elements.
 */
#ifndef NN_CORE_KERNELS_H
#define NN_CORE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

typedef void (*nn_map1)(float *y, const float *x, size_t n);
typedef void (*nn_map2)(float *y, const float *a, const float *b, size_t n);

typedef struct nn_kernels {
  const char *name; /* "avx512", "avx2", "neon", "portable" */
  /* y = f(x); y may be x. Error bounds (ulp against double) stand beside each in kernels_body.h. */
  nn_map1 exp, log, tanh, sigmoid, erf, gelu, gelu_tanh, softplus, sqrt, rsqrt, relu, silu, log1p,
      expm1, sin, cos, neg, abs, square, reciprocal;
  /* dx (+)= dy * f'(..): relu, sigmoid and tanh need y alone. acc 0 writes, 1 adds. */
  void (*relu_grad)(float *dx, const float *dy, const float *y, int acc, size_t n);
  void (*sigmoid_grad)(float *dx, const float *dy, const float *y, int acc, size_t n);
  void (*tanh_grad)(float *dx, const float *dy, const float *y, int acc, size_t n);
  nn_map2 add, sub, mul, div, max, min;
  void (*add_scalar)(float *y, const float *x, float s, size_t n);  /* y = x + s */
  void (*mul_scalar)(float *y, const float *x, float s, size_t n);  /* y = x * s */
  void (*axpy)(float *y, float a, const float *x, size_t n);        /* y += a * x (fma) */
  void (*add_row)(float *y, const float *x, const float *row, size_t m, size_t n); /* (m,n)+(n) */
  void (*sum_rows)(float *out, const float *x, int acc, size_t m, size_t n); /* over m, in order */
  float (*sum)(const float *x, size_t n);
  float (*dot)(const float *a, const float *b, size_t n);
  float (*sum_squares)(const float *x, size_t n);
  float (*max_value)(const float *x, size_t n); /* -inf when n = 0; NaN where one is */
  /* Rows of (m, n): probabilities, or log-probabilities, of each row. y may be x. */
  void (*softmax)(float *y, const float *x, size_t m, size_t n);
  void (*log_softmax)(float *y, const float *x, size_t m, size_t n);
  /* dx (+)= y * (dy - sum(dy * y)) by rows. */
  void (*softmax_grad)(float *dx, const float *dy, const float *y, int acc, size_t m, size_t n);
  /* Cross-entropy of two classes from logits z and targets t, (rows, 2): loss (rows), and the
   * probabilities p. dz = (p sum(t) - t) dl. */
  void (*crossentropy_pairs)(float *loss, float *p, const float *z, const float *t, size_t rows);
  void (*crossentropy_pairs_grad)(float *dz, const float *p, const float *t, const float *dl,
                                  size_t rows);
  /* out (m, n) = table rows index[0..m-1]; 0 <= index < rows is the caller's duty. */
  void (*gather_rows)(float *out, const float *table, const int32_t *index, size_t m, size_t n);
} nn_kernels;

/* The table for this CPU. `nn_kernels_force` picks another by name for tests ("avx2", "portable",
 * NULL = best again); it returns 0 when this CPU lacks it. */
const nn_kernels *nn_kernels_get(void);
int nn_kernels_force(const char *name);

#endif
