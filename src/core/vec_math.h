/* Elementary functions on vectors. Each is a fixed chain of IEEE operations and fused multiply-adds
 * on its own lane, so all instruction sets give the same bits. The bound beside each is the largest
 * error of all 2^32 floats against the C library in double (`make ulp`, November 2026), rounded up;
 * ulp are units in the last place of the exact value. spec/core/kernels_test.c holds the bounds.
 */
#define M_MAGIC 12582912.0f /* 1.5 * 2^23: adding it rounds to an integer, kept in the low bits */
#define M_LN2_HI 0x1.62e430p-1f
#define M_LN2_LO -0x1.05c610p-29f
#define M_INV_LN2 0x1.715476p+0f

/* c0 + c1 x + ... with n coefficients (Horner). */
NN_INLINE vf m_poly(vf x, const float *c, int n) {
  vf y = v_set(c[n - 1]);
  NN_UNROLL
  for (int i = n - 2; i >= 0; i--) y = v_fma(y, x, v_set(c[i]));
  return y;
}

/* x = n ln 2 + r with |r| <= ln 2 / 2; gives r, and n as an integer. */
NN_INLINE vf m_exp_reduce(vf x, vi *n) {
  vf t = v_fma(x, v_set(M_INV_LN2), v_set(M_MAGIC));
  vf nf = v_sub(t, v_set(M_MAGIC));
  *n = vi_sub(v_bits(t), v_bits(v_set(M_MAGIC)));
  return v_fnma(nf, v_set(M_LN2_LO), v_fnma(nf, v_set(M_LN2_HI), x));
}
/* exp(r) - 1 - r, over r^2: the Taylor series, cut where it is below 2^-28. */
NN_INLINE vf m_exp_tail(vf r) {
  static const float c[] = {1.0f / 2, 1.0f / 6, 1.0f / 24, 1.0f / 120, 1.0f / 720, 1.0f / 5040};
  return m_poly(r, c, 6);
}
/* 2^n, -127 < n < 128. */
NN_INLINE vf m_pow2(vi n) { return v_float(vi_shl(vi_add(n, vi_set(127)), 23)); }

/* 1.06 ulp, denormal results included; exp(-inf) = 0. */
NN_INLINE vf m_exp(vf x) {
  vi n;
  x = v_max(v_set(-105), v_min(v_set(89), x));
  vf r = m_exp_reduce(x, &n);
  vf y = v_add(v_set(1), v_fma(v_mul(r, r), m_exp_tail(r), r));
  vi half = vi_sar(n, 1); /* in two steps: 2^n alone may lie outside the normal numbers */
  return v_mul(v_mul(y, m_pow2(half)), m_pow2(vi_sub(n, half)));
}

/* 1.65 ulp. */
NN_INLINE vf m_expm1(vf x) {
  vi n;
  vf c = v_max(v_set(-20), v_min(v_set(89), x));
  vf r = m_exp_reduce(c, &n);
  vf p = v_fma(v_mul(r, r), m_exp_tail(r), r);
  vf s = m_pow2(vi_sub(n, vi_set(1))); /* half of it: 2^128 would overflow */
  vf y = v_fma(s, p, v_sub(s, v_set(0.5f)));
  return v_sel(v_lt(v_abs(x), v_set(0x1p-20f)), v_fma(v_mul(x, x), v_set(0.5f), x), v_add(y, y));
}

/* log(u) + c for normal u > 0 and small c. With u = m 2^e, f = m - 1, s = f / (2 + f):
 * log(m) = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + R)), R = 2/3 s^2 + 2/5 s^4 + ... */
NN_INLINE vf m_log_core(vf u, vf c, float e0) {
  static const float k[] = {2.0f / 3, 2.0f / 5, 2.0f / 7, 2.0f / 9, 2.0f / 11};
  vi i = vi_add(v_bits(u), vi_set(0x3f800000 - 0x3f3504f3));
  vf e = v_add(vi_float(vi_sub(vi_shr(i, 23), vi_set(127))), v_set(e0));
  vf m = v_float(vi_add(vi_and(i, vi_set(0x007fffff)), vi_set(0x3f3504f3)));
  vf f = v_sub(m, v_set(1));
  vf s = v_div(f, v_add(v_set(2), f));
  vf z = v_mul(s, s);
  vf half = v_mul(v_mul(v_set(0.5f), f), f);
  vf low = v_fma(e, v_set(M_LN2_LO), c);
  low = v_fma(s, v_fma(z, m_poly(z, k, 5), half), low);
  return v_fma(e, v_set(M_LN2_HI), v_sub(f, v_sub(half, low)));
}
/* y where 0 < x < inf; -inf, inf or NaN elsewhere, as for log(x). */
NN_INLINE vf m_log_special(vf x, vf y) {
  y = v_sel(v_lt(x, v_set(INFINITY)), y, x);
  y = v_sel(v_lt(x, v_zero()), v_set(NAN), y);
  return v_sel(v_eq(x, v_zero()), v_set(-INFINITY), y);
}
/* 1.01 ulp, denormal x included. */
NN_INLINE vf m_log(vf x) {
  vm tiny = v_lt(x, v_set(0x1p-126f));
  vf y = m_log_core(v_sel(tiny, v_mul(x, v_set(0x1p24f)), x), v_zero(), 0);
  return m_log_special(x, v_sel(tiny, v_fma(v_set(-24), v_set(0x1.62e430p-1f), y), y));
}
/* 0.84 ulp. The rounding error of 1 + x goes into the sum. */
NN_INLINE vf m_log1p(vf x) {
  vf one = v_set(1), u = v_add(one, x), t = v_sub(u, one);
  vf c = v_add(v_sub(x, t), v_sub(one, v_sub(u, t)));
  vf y = m_log_special(u, m_log_core(u, v_div(c, u), 0));
  return v_sel(v_lt(v_abs(x), v_set(0x1p-25f)), x, y);
}

/* 2.42 ulp: t / (t + 2) with t = exp(2 |x|) - 1. */
NN_INLINE vf m_tanh(vf x) {
  vf a = v_abs(x);
  vf t = m_expm1(v_min(v_set(20), v_add(a, a)));
  return v_with_sign(v_div(t, v_add(t, v_set(2))), x);
}
/* 2.41 ulp: 1 / (1 + exp(-x)), with exp(-|x|) so that nothing overflows or cancels. */
NN_INLINE vf m_sigmoid(vf x) {
  vf e = m_exp(v_neg(v_abs(x)));
  vf num = v_sel(v_lt(x, v_zero()), e, v_set(1));
  return v_div(num, v_add(v_set(1), e));
}
/* 1.64 ulp. log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)). */
NN_INLINE vf m_softplus(vf x) {
  return v_add(v_max(v_zero(), x), m_log1p(m_exp(v_neg(v_abs(x)))));
}
/* Absolute error below 1.95 ulp of |x|. */
NN_INLINE vf m_silu(vf x) { return v_mul(x, m_sigmoid(x)); }

/* 1.16 ulp. |x| < 1: x times a polynomial in x^2; beyond: 1 - exp(-p(|x|)) where p interpolates
 * -log(erfc) at Chebyshev nodes of [1, 4]. */
NN_INLINE vf m_erf(vf x) {
  static const float small[] = {0x1.06eba8p-3f,   -0x1.812746p-2f, 0x1.ce2f08p-4f,
                                -0x1.b829c8p-6f,  0x1.562a60p-8f,  -0x1.bccf66p-11f,
                                0x1.d88750p-14f,  -0x1.445f48p-17f};
  static const float big[] = {-0x1.4fb068p-12f, 0x1.2156fap+0f,  0x1.437eb4p-1f,
                              0x1.c2e356p-4f,   -0x1.b0e246p-6f, 0x1.37ecc6p-8f,
                              -0x1.38e5e6p-11f, 0x1.825ce4p-15f, -0x1.b77830p-20f};
  vf a = v_abs(x);
  vf near = v_fma(x, m_poly(v_mul(x, x), small, 8), x);
  vf far = v_sub(v_set(1), m_exp(v_neg(m_poly(v_min(v_set(4), a), big, 9))));
  return v_sel(v_lt(a, v_set(1)), near, v_with_sign(far, x));
}
/* x (1 + erf(x / sqrt 2)) / 2. Absolute error below 1.05 ulp of |x|. */
NN_INLINE vf m_gelu(vf x) {
  vf h = v_mul(v_set(0.5f), x);
  return v_fma(h, m_erf(v_mul(x, v_set(0x1.6a09e6p-1f))), h);
}
/* x (1 + tanh(u)) / 2 = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3). Absolute error below
 * 2.07 ulp of |x|. */
NN_INLINE vf m_gelu_tanh(vf x) {
  vf z = v_fma(v_mul(x, x), v_set(0.07135481627f), v_set(1.595769122f));
  return v_mul(x, m_sigmoid(v_mul(x, z)));
}

/* sin and cos: x = q pi/2 + r, pi/2 in three parts. Lanes beyond 1e5 are reduced by
 * nn_reduce_pi2 with as many digits of 2/pi as they need. */
#define M_TRIG_MAX 1e5f
NN_INLINE vf m_trig_reduce(vf x, vi *q) {
  vf t = v_fma(x, v_set(0x1.45f306p-1f), v_set(M_MAGIC));
  vf n = v_sub(t, v_set(M_MAGIC));
  *q = v_bits(t);
  vf r = v_fnma(n, v_set(0x1.921fb6p+0f), x);
  r = v_fnma(n, v_set(-0x1.777a5cp-25f), r);
  r = v_fnma(n, v_set(-0x1.ee59dap-50f), r);
  if (v_any(v_lt(v_set(M_TRIG_MAX), v_abs(x)))) {
    float xs[VW], rs[VW];
    int32_t qs[VW];
    v_store(xs, x), v_store(rs, r), vi_store(qs, *q);
    for (int i = 0; i < VW; i++)
      if (fabsf(xs[i]) > M_TRIG_MAX) rs[i] = nn_reduce_pi2(xs[i], &qs[i]);
    r = v_load(rs), *q = vi_load(qs);
  }
  return r;
}
/* The sine of q quarter turns plus r. */
NN_INLINE vf m_trig(vf r, vi q) {
  static const float s[] = {-1.0f / 6, 1.0f / 120, -1.0f / 5040, 1.0f / 362880};
  static const float c[] = {-1.0f / 2, 1.0f / 24, -1.0f / 720, 1.0f / 40320, -1.0f / 3628800};
  vf z = v_mul(r, r);
  vf sine = v_fma(v_mul(z, r), m_poly(z, s, 4), r);
  vf cosine = v_fma(z, m_poly(z, c, 5), v_set(1));
  vf odd = vi_float(vi_and(q, vi_set(1)));
  vf y = v_sel(v_lt(v_zero(), odd), cosine, sine);
  return v_float(vi_xor(v_bits(y), vi_shl(vi_and(q, vi_set(2)), 30)));
}
/* 1.5 ulp each. */
NN_INLINE vf m_sin(vf x) {
  vi q;
  vf r = m_trig_reduce(x, &q);
  return m_trig(r, q);
}
NN_INLINE vf m_cos(vf x) {
  vi q;
  vf r = m_trig_reduce(x, &q);
  return m_trig(r, vi_add(q, vi_set(1)));
}
