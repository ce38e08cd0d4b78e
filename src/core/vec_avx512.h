/* vec.h on AVX-512: 16 lanes, masks in mask registers. */
#define VW 16
typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

NN_INLINE vm v_first(size_t n) { return (vm)((1u << n) - 1); }
NN_INLINE vf v_load(const float *p) { return _mm512_loadu_ps(p); }
NN_INLINE void v_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
NN_INLINE vf v_load_n(const float *p, size_t n) { return _mm512_maskz_loadu_ps(v_first(n), p); }
NN_INLINE vf v_load_fill(const float *p, size_t n, float fill) {
  return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), v_first(n), p);
}
NN_INLINE void v_store_n(float *p, vf a, size_t n) { _mm512_mask_storeu_ps(p, v_first(n), a); }
NN_INLINE vf v_set(float x) { return _mm512_set1_ps(x); }
NN_INLINE vf v_zero(void) { return _mm512_setzero_ps(); }
NN_INLINE vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
NN_INLINE vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
NN_INLINE vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
NN_INLINE vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
NN_INLINE vf v_swap_pairs(vf a) { return _mm512_permute_ps(a, 0xb1); }
NN_INLINE vf v_sqrt(vf a) { return _mm512_sqrt_ps(a); }
NN_INLINE vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
NN_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
NN_INLINE vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
NN_INLINE vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
NN_INLINE vm v_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
NN_INLINE vm v_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
NN_INLINE vm v_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
NN_INLINE vm v_ne(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
NN_INLINE int v_any(vm m) { return m != 0; }
NN_INLINE vf v_sel(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }

NN_INLINE vi v_bits(vf a) { return _mm512_castps_si512(a); }
NN_INLINE vf v_float(vi a) { return _mm512_castsi512_ps(a); }
NN_INLINE vi vi_set(int32_t x) { return _mm512_set1_epi32(x); }
NN_INLINE vi vi_load(const int32_t *p) { return _mm512_loadu_si512(p); }
NN_INLINE void vi_store(int32_t *p, vi a) { _mm512_storeu_si512(p, a); }
NN_INLINE vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
NN_INLINE vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
NN_INLINE vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
NN_INLINE vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
NN_INLINE vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
#define vi_shl(a, n) _mm512_slli_epi32(a, n)
#define vi_shr(a, n) _mm512_srli_epi32(a, n)
#define vi_sar(a, n) _mm512_srai_epi32(a, n)
NN_INLINE vf vi_float(vi a) { return _mm512_cvtepi32_ps(a); } /* value, not bits */
/* The high and the low words of the unsigned products a * b. */
NN_INLINE vi vi_mulhilo(vi a, vi b, vi *lo) {
  __m512i even = _mm512_mul_epu32(a, b);
  __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));
  *lo = _mm512_mullo_epi32(a, b);
  return _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
}

NN_INLINE vf v_twice(const float *p) {
  __m512i from = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
  return _mm512_permutexvar_ps(from, _mm512_castps256_ps512(_mm256_loadu_ps(p)));
}
NN_INLINE void v_store_even(float *p, vf a) {
  __m512i from = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14);
  _mm256_storeu_ps(p, _mm512_castps512_ps256(_mm512_permutexvar_ps(from, a)));
}

/* Pairs a0 b0 a1 b1 .. of two vectors apart and together again, in an order of their own that
 * v_store_unpaired undoes. */
NN_INLINE void v_unpair(vf *a, vf *b) {
  vf first = _mm512_shuffle_ps(*a, *b, 0x88);
  *b = _mm512_shuffle_ps(*a, *b, 0xdd);
  *a = first;
}
NN_INLINE void v_pair(vf *a, vf *b) {
  vf low = _mm512_unpacklo_ps(*a, *b);
  *b = _mm512_unpackhi_ps(*a, *b);
  *a = low;
}
NN_INLINE void v_store_unpaired(float *p, vf a) {
  __m512i from = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  _mm512_storeu_pd(p, _mm512_permutexvar_pd(from, _mm512_castps_pd(a)));
}

NN_INLINE float v_tree(const vf *s) {
  __m256 y = _mm256_add_ps(_mm512_castps512_ps256(s[0]), _mm512_extractf32x8_ps(s[0], 1));
  __m128 x = _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
NN_INLINE float v_tree_max(const vf *s) {
  __m256 y = _mm256_max_ps(_mm512_castps512_ps256(s[0]), _mm512_extractf32x8_ps(s[0], 1));
  __m128 x = _mm_max_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
  x = _mm_max_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}

/* 4 floats each of rows[0], rows[4], rows[8] and rows[12], from `at` on. */
NN_INLINE vf v_pieces(const float *const *rows, int64_t at) {
  vf a = _mm512_castps128_ps512(_mm_loadu_ps(rows[0] + at));
  a = _mm512_insertf32x4(a, _mm_loadu_ps(rows[4] + at), 1);
  vf b = _mm512_castps128_ps512(_mm_loadu_ps(rows[8] + at));
  b = _mm512_insertf32x4(b, _mm_loadu_ps(rows[12] + at), 1);
  return _mm512_insertf32x8(a, _mm512_castps512_ps256(b), 1);
}

/* 4 vectors, each 4 lanes of them a 4 x 4 matrix: rows become columns. */
NN_INLINE void v_transpose4(vf r[4]) {
  vf a = _mm512_unpacklo_ps(r[0], r[1]), b = _mm512_unpackhi_ps(r[0], r[1]);
  vf c = _mm512_unpacklo_ps(r[2], r[3]), d = _mm512_unpackhi_ps(r[2], r[3]);
  r[0] = _mm512_shuffle_ps(a, c, 0x44), r[1] = _mm512_shuffle_ps(a, c, 0xee);
  r[2] = _mm512_shuffle_ps(b, d, 0x44), r[3] = _mm512_shuffle_ps(b, d, 0xee);
}

/* Rows become columns: r[i] lane j and r[j] lane i change places. */
NN_INLINE void v_transpose(vf r[16]) {
  __m512d t[16];
  NN_UNROLL
  for (int i = 0; i < 16; i += 2) { /* pairs of rows */
    t[i] = _mm512_castps_pd(_mm512_unpacklo_ps(r[i], r[i + 1]));
    t[i + 1] = _mm512_castps_pd(_mm512_unpackhi_ps(r[i], r[i + 1]));
  }
  NN_UNROLL
  for (int i = 0; i < 16; i += 4) { /* 4 rows: columns 4 q + i of each quarter q */
    r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(t[i], t[i + 2]));
    r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(t[i], t[i + 2]));
    r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(t[i + 1], t[i + 3]));
    r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(t[i + 1], t[i + 3]));
  }
  NN_UNROLL
  for (int i = 0; i < 4; i++) { /* 16 rows: gather the quarters */
    vf a = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    vf b = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    vf c = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    vf d = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
    r[i] = _mm512_shuffle_f32x4(a, c, 0x88), r[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
    r[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88), r[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
  }
}
