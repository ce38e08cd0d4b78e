/* vec.h in plain C with the compiler's 4-lane vectors: the reference that the others must match. */
#define VW 4
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef uint32_t vu __attribute__((vector_size(16)));
typedef vi vm; /* all ones where true */

NN_INLINE vf v_load(const float *p) {
  vf a;
  memcpy(&a, p, sizeof a);
  return a;
}
NN_INLINE void v_store(float *p, vf a) { memcpy(p, &a, sizeof a); }
NN_INLINE vf v_load_n(const float *p, size_t n) {
  return (vf){p[0], n > 1 ? p[1] : 0, n > 2 ? p[2] : 0, 0};
}
NN_INLINE vf v_load_fill(const float *p, size_t n, float fill) {
  return (vf){n > 0 ? p[0] : fill, n > 1 ? p[1] : fill, n > 2 ? p[2] : fill, fill};
}
NN_INLINE void v_store_n(float *p, vf a, size_t n) {
  p[0] = a[0];
  if (n > 1) p[1] = a[1];
  if (n > 2) p[2] = a[2];
}
NN_INLINE vf v_set(float x) { return (vf){x, x, x, x}; }
NN_INLINE vf v_zero(void) { return (vf){0, 0, 0, 0}; }
NN_INLINE vf v_add(vf a, vf b) { return a + b; }
NN_INLINE vf v_sub(vf a, vf b) { return a - b; }
NN_INLINE vf v_mul(vf a, vf b) { return a * b; }
NN_INLINE vf v_div(vf a, vf b) { return a / b; }
NN_INLINE vf v_swap_pairs(vf a) { return (vf){a[1], a[0], a[3], a[2]}; }
NN_INLINE vf v_sqrt(vf a) { return (vf){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])}; }
NN_INLINE vf v_fma(vf a, vf b, vf c) {
  return (vf){fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]),
              fmaf(a[3], b[3], c[3])};
}
NN_INLINE vf v_fnma(vf a, vf b, vf c) { return v_fma(-a, b, c); }
NN_INLINE vm v_lt(vf a, vf b) { return a < b; }
NN_INLINE vm v_le(vf a, vf b) { return a <= b; }
NN_INLINE vm v_eq(vf a, vf b) { return a == b; }
NN_INLINE vm v_ne(vf a, vf b) { return a != b; }
NN_INLINE int v_any(vm m) { return (m[0] | m[1] | m[2] | m[3]) != 0; }
NN_INLINE vf v_sel(vm m, vf a, vf b) { return (vf)((m & (vi)a) | (~m & (vi)b)); }
NN_INLINE vf v_min(vf a, vf b) { return v_sel(v_lt(a, b), a, b); }
NN_INLINE vf v_max(vf a, vf b) { return v_sel(v_lt(b, a), a, b); }

NN_INLINE vi v_bits(vf a) { return (vi)a; }
NN_INLINE vf v_float(vi a) { return (vf)a; }
NN_INLINE vi vi_set(int32_t x) { return (vi){x, x, x, x}; }
NN_INLINE vi vi_load(const int32_t *p) {
  vi a;
  memcpy(&a, p, sizeof a);
  return a;
}
NN_INLINE void vi_store(int32_t *p, vi a) { memcpy(p, &a, sizeof a); }
NN_INLINE vi vi_add(vi a, vi b) { return (vi)((vu)a + (vu)b); }
NN_INLINE vi vi_sub(vi a, vi b) { return (vi)((vu)a - (vu)b); }
NN_INLINE vi vi_and(vi a, vi b) { return a & b; }
NN_INLINE vi vi_or(vi a, vi b) { return a | b; }
NN_INLINE vi vi_xor(vi a, vi b) { return a ^ b; }
#define vi_shl(a, n) ((vi)((vu)(a) << (n)))
#define vi_shr(a, n) ((vi)((vu)(a) >> (n)))
#define vi_sar(a, n) ((vi)(a) >> (n))
NN_INLINE vf vi_float(vi a) { /* value, not bits */
  return (vf){(float)a[0], (float)a[1], (float)a[2], (float)a[3]};
}
/* The high and the low words of the unsigned products a * b. */
NN_INLINE vi vi_mulhilo(vi a, vi b, vi *lo) {
  vi hi;
  *lo = (vi)((vu)a * (vu)b);
  for (int i = 0; i < 4; i++)
    hi[i] = (int32_t)(((uint64_t)(uint32_t)a[i] * (uint32_t)b[i]) >> 32);
  return hi;
}

NN_INLINE vf v_pieces(const float *const *rows, int64_t at) { return v_load(rows[0] + at); }
NN_INLINE vf v_twice(const float *p) { return (vf){p[0], p[0], p[1], p[1]}; }
NN_INLINE void v_store_even(float *p, vf a) { p[0] = a[0], p[1] = a[2]; }

/* See vec_avx512.h; here the order is the rows'. */
NN_INLINE void v_unpair(vf *a, vf *b) {
  vf x = *a, y = *b;
  *a = (vf){x[0], x[2], y[0], y[2]}, *b = (vf){x[1], x[3], y[1], y[3]};
}
NN_INLINE void v_pair(vf *a, vf *b) {
  vf x = *a, y = *b;
  *a = (vf){x[0], y[0], x[1], y[1]}, *b = (vf){x[2], y[2], x[3], y[3]};
}
#define v_store_unpaired v_store

NN_INLINE float v_tree(const vf *s) {
  vf x = (s[0] + s[2]) + (s[1] + s[3]);
  return (x[0] + x[2]) + (x[1] + x[3]);
}
NN_INLINE float v_tree_max(const vf *s) {
  vf x = v_max(v_max(s[0], s[2]), v_max(s[1], s[3]));
  float a = x[0] > x[2] ? x[0] : x[2], b = x[1] > x[3] ? x[1] : x[3];
  return a > b ? a : b;
}

/* Rows become columns: r[i] lane j and r[j] lane i change places. */
NN_INLINE void v_transpose(vf r[4]) {
  vf t[4] = {r[0], r[1], r[2], r[3]};
  for (int i = 0; i < 4; i++) r[i] = (vf){t[0][i], t[1][i], t[2][i], t[3][i]};
}
#define v_transpose4 v_transpose
