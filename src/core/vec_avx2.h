/* vec.h on AVX2 with FMA: 8 lanes, masks in vectors. With NN_VEC_AVX512Y the first-n loads and
 * stores use mask registers (a masked store is some 40 instructions inside on AVX2 processors by
 * AMD, so plain AVX2 stores a tail in pieces of 4, 2 and 1). v_load_n takes n = VW too.
 */
#define VW 8
typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm;

NN_INLINE vf v_load(const float *p) { return _mm256_loadu_ps(p); }
NN_INLINE void v_store(float *p, vf a) { _mm256_storeu_ps(p, a); }
#if defined(NN_VEC_AVX512Y)
NN_INLINE __mmask8 v_first(size_t n) { return (__mmask8)((1u << n) - 1); }
NN_INLINE vf v_load_n(const float *p, size_t n) { return _mm256_maskz_loadu_ps(v_first(n), p); }
NN_INLINE vf v_load_fill(const float *p, size_t n, float fill) {
  return _mm256_mask_loadu_ps(_mm256_set1_ps(fill), v_first(n), p);
}
NN_INLINE void v_store_n(float *p, vf a, size_t n) { _mm256_mask_storeu_ps(p, v_first(n), a); }
#else
NN_INLINE __m256i v_first(size_t n) {
  __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane);
}
NN_INLINE vf v_load_n(const float *p, size_t n) { return _mm256_maskload_ps(p, v_first(n)); }
NN_INLINE vf v_load_fill(const float *p, size_t n, float fill) {
  __m256i m = v_first(n);
  return _mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m));
}
NN_INLINE void v_store_n(float *p, vf a, size_t n) {
  __m128 x = _mm256_castps256_ps128(a);
  if (n & 4) {
    _mm_storeu_ps(p, x);
    x = _mm256_extractf128_ps(a, 1), p += 4;
  }
  if (n & 2) {
    _mm_storel_pi((__m64 *)(void *)p, x);
    x = _mm_movehl_ps(x, x), p += 2;
  }
  if (n & 1) _mm_store_ss(p, x);
}
#endif
NN_INLINE vf v_set(float x) { return _mm256_set1_ps(x); }
NN_INLINE vf v_zero(void) { return _mm256_setzero_ps(); }
NN_INLINE vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
NN_INLINE vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
NN_INLINE vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
NN_INLINE vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
NN_INLINE vf v_swap_pairs(vf a) { return _mm256_permute_ps(a, 0xb1); }
NN_INLINE vf v_sqrt(vf a) { return _mm256_sqrt_ps(a); }
NN_INLINE vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
NN_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
NN_INLINE vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
NN_INLINE vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
NN_INLINE vm v_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
NN_INLINE vm v_le(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
NN_INLINE vm v_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
NN_INLINE vm v_ne(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
NN_INLINE int v_any(vm m) { return _mm256_movemask_ps(m) != 0; }
NN_INLINE vf v_sel(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }

NN_INLINE vi v_bits(vf a) { return _mm256_castps_si256(a); }
NN_INLINE vf v_float(vi a) { return _mm256_castsi256_ps(a); }
NN_INLINE vi vi_set(int32_t x) { return _mm256_set1_epi32(x); }
NN_INLINE vi vi_load(const int32_t *p) {
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}
NN_INLINE void vi_store(int32_t *p, vi a) { _mm256_storeu_si256((__m256i *)(void *)p, a); }
NN_INLINE vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
NN_INLINE vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
NN_INLINE vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
NN_INLINE vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
NN_INLINE vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
#define vi_shl(a, n) _mm256_slli_epi32(a, n)
#define vi_shr(a, n) _mm256_srli_epi32(a, n)
#define vi_sar(a, n) _mm256_srai_epi32(a, n)
NN_INLINE vf vi_float(vi a) { return _mm256_cvtepi32_ps(a); } /* value, not bits */
/* The high and the low words of the unsigned products a * b. */
NN_INLINE vi vi_mulhilo(vi a, vi b, vi *lo) {
  __m256i even = _mm256_mul_epu32(a, b);
  __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
  *lo = _mm256_mullo_epi32(a, b);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
}

NN_INLINE vf v_twice(const float *p) {
  __m256i from = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
  return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), from);
}
NN_INLINE void v_store_even(float *p, vf a) {
  __m256i from = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
  _mm_storeu_ps(p, _mm256_castps256_ps128(_mm256_permutevar8x32_ps(a, from)));
}

/* See vec_avx512.h. */
NN_INLINE void v_unpair(vf *a, vf *b) {
  vf first = _mm256_shuffle_ps(*a, *b, 0x88);
  *b = _mm256_shuffle_ps(*a, *b, 0xdd);
  *a = first;
}
NN_INLINE void v_pair(vf *a, vf *b) {
  vf low = _mm256_unpacklo_ps(*a, *b);
  *b = _mm256_unpackhi_ps(*a, *b);
  *a = low;
}
NN_INLINE void v_store_unpaired(float *p, vf a) {
  v_store(p, _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(a), 0xd8)));
}

NN_INLINE float v_tree(const vf *s) {
  __m256 y = _mm256_add_ps(s[0], s[1]);
  __m128 x = _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
NN_INLINE float v_tree_max(const vf *s) {
  __m256 y = _mm256_max_ps(s[0], s[1]);
  __m128 x = _mm_max_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
  x = _mm_max_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}

/* 4 floats each of rows[0] and rows[4], from `at` on. */
NN_INLINE vf v_pieces(const float *const *rows, int64_t at) {
  __m256 low = _mm256_castps128_ps256(_mm_loadu_ps(rows[0] + at));
  return _mm256_insertf128_ps(low, _mm_loadu_ps(rows[4] + at), 1);
}

/* 4 vectors, each 4 lanes of them a 4 x 4 matrix: rows become columns. */
NN_INLINE void v_transpose4(vf r[4]) {
  vf a = _mm256_unpacklo_ps(r[0], r[1]), b = _mm256_unpackhi_ps(r[0], r[1]);
  vf c = _mm256_unpacklo_ps(r[2], r[3]), d = _mm256_unpackhi_ps(r[2], r[3]);
  r[0] = _mm256_shuffle_ps(a, c, 0x44), r[1] = _mm256_shuffle_ps(a, c, 0xee);
  r[2] = _mm256_shuffle_ps(b, d, 0x44), r[3] = _mm256_shuffle_ps(b, d, 0xee);
}

/* Rows become columns: r[i] lane j and r[j] lane i change places. */
NN_INLINE void v_transpose(vf r[8]) {
  vf t[8];
  NN_UNROLL
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  NN_UNROLL
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  NN_UNROLL
  for (int i = 0; i < 4; i++) {
    vf a = r[i];
    r[i] = _mm256_permute2f128_ps(a, r[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(a, r[i + 4], 0x31);
  }
}
