/* vec.h on 64-bit ARM: 4 lanes. */
#define VW 4
typedef float32x4_t vf;
typedef int32x4_t vi;
typedef uint32x4_t vm;

NN_INLINE vf v_load(const float *p) { return vld1q_f32(p); }
NN_INLINE void v_store(float *p, vf a) { vst1q_f32(p, a); }
NN_INLINE vf v_load_n(const float *p, size_t n) {
  vf a = vsetq_lane_f32(p[0], vdupq_n_f32(0), 0);
  if (n > 1) a = vsetq_lane_f32(p[1], a, 1);
  if (n > 2) a = vsetq_lane_f32(p[2], a, 2);
  return a;
}
NN_INLINE vf v_load_fill(const float *p, size_t n, float fill) {
  vf a = vdupq_n_f32(fill);
  if (n > 0) a = vsetq_lane_f32(p[0], a, 0);
  if (n > 1) a = vsetq_lane_f32(p[1], a, 1);
  if (n > 2) a = vsetq_lane_f32(p[2], a, 2);
  return a;
}
NN_INLINE void v_store_n(float *p, vf a, size_t n) {
  vst1q_lane_f32(p, a, 0);
  if (n > 1) vst1q_lane_f32(p + 1, a, 1);
  if (n > 2) vst1q_lane_f32(p + 2, a, 2);
}
NN_INLINE vf v_set(float x) { return vdupq_n_f32(x); }
NN_INLINE vf v_zero(void) { return vdupq_n_f32(0); }
NN_INLINE vf v_add(vf a, vf b) { return vaddq_f32(a, b); }
NN_INLINE vf v_sub(vf a, vf b) { return vsubq_f32(a, b); }
NN_INLINE vf v_mul(vf a, vf b) { return vmulq_f32(a, b); }
NN_INLINE vf v_div(vf a, vf b) { return vdivq_f32(a, b); }
NN_INLINE vf v_swap_pairs(vf a) { return vrev64q_f32(a); }
NN_INLINE vf v_sqrt(vf a) { return vsqrtq_f32(a); }
NN_INLINE vf v_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
NN_INLINE vf v_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
NN_INLINE vm v_lt(vf a, vf b) { return vcltq_f32(a, b); }
NN_INLINE vm v_le(vf a, vf b) { return vcleq_f32(a, b); }
NN_INLINE vm v_eq(vf a, vf b) { return vceqq_f32(a, b); }
NN_INLINE vm v_ne(vf a, vf b) { return vmvnq_u32(vceqq_f32(a, b)); }
NN_INLINE int v_any(vm m) { return vmaxvq_u32(m) != 0; }
NN_INLINE vf v_sel(vm m, vf a, vf b) { return vbslq_f32(m, a, b); }
NN_INLINE vf v_min(vf a, vf b) { return v_sel(v_lt(a, b), a, b); }
NN_INLINE vf v_max(vf a, vf b) { return v_sel(v_lt(b, a), a, b); }

NN_INLINE vi v_bits(vf a) { return vreinterpretq_s32_f32(a); }
NN_INLINE vf v_float(vi a) { return vreinterpretq_f32_s32(a); }
NN_INLINE vi vi_set(int32_t x) { return vdupq_n_s32(x); }
NN_INLINE vi vi_load(const int32_t *p) { return vld1q_s32(p); }
NN_INLINE void vi_store(int32_t *p, vi a) { vst1q_s32(p, a); }
NN_INLINE vi vi_add(vi a, vi b) { return vaddq_s32(a, b); }
NN_INLINE vi vi_sub(vi a, vi b) { return vsubq_s32(a, b); }
NN_INLINE vi vi_and(vi a, vi b) { return vandq_s32(a, b); }
NN_INLINE vi vi_or(vi a, vi b) { return vorrq_s32(a, b); }
NN_INLINE vi vi_xor(vi a, vi b) { return veorq_s32(a, b); }
#define vi_shl(a, n) vshlq_n_s32(a, n)
#define vi_shr(a, n) vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a), n))
#define vi_sar(a, n) vshrq_n_s32(a, n)
NN_INLINE vf vi_float(vi a) { return vcvtq_f32_s32(a); } /* value, not bits */
/* The high and the low words of the unsigned products a * b. */
NN_INLINE vi vi_mulhilo(vi a, vi b, vi *lo) {
  uint32x4_t x = vreinterpretq_u32_s32(a), y = vreinterpretq_u32_s32(b);
  uint32x4_t p = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(x), vget_low_u32(y)));
  uint32x4_t q = vreinterpretq_u32_u64(vmull_high_u32(x, y));
  *lo = vreinterpretq_s32_u32(vuzp1q_u32(p, q));
  return vreinterpretq_s32_u32(vuzp2q_u32(p, q));
}

NN_INLINE vf v_pieces(const float *const *rows, int64_t at) { return v_load(rows[0] + at); }
NN_INLINE vf v_twice(const float *p) {
  float32x2_t a = vld1_f32(p);
  return vcombine_f32(vzip1_f32(a, a), vzip2_f32(a, a));
}
NN_INLINE void v_store_even(float *p, vf a) {
  vst1_f32(p, vuzp1_f32(vget_low_f32(a), vget_high_f32(a)));
}

/* See vec_avx512.h; here the order is the rows'. */
NN_INLINE void v_unpair(vf *a, vf *b) {
  vf first = vuzp1q_f32(*a, *b);
  *b = vuzp2q_f32(*a, *b);
  *a = first;
}
NN_INLINE void v_pair(vf *a, vf *b) {
  vf low = vzip1q_f32(*a, *b);
  *b = vzip2q_f32(*a, *b);
  *a = low;
}
#define v_store_unpaired v_store

NN_INLINE float v_tree(const vf *s) {
  vf x = vaddq_f32(vaddq_f32(s[0], s[2]), vaddq_f32(s[1], s[3]));
  float32x2_t y = vadd_f32(vget_low_f32(x), vget_high_f32(x));
  return vget_lane_f32(y, 0) + vget_lane_f32(y, 1);
}
NN_INLINE float v_tree_max(const vf *s) {
  return vmaxvq_f32(v_max(v_max(s[0], s[2]), v_max(s[1], s[3])));
}

/* Rows become columns: r[i] lane j and r[j] lane i change places. */
NN_INLINE void v_transpose(vf r[4]) {
  float32x4x2_t a = vtrnq_f32(r[0], r[1]), b = vtrnq_f32(r[2], r[3]);
  r[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
  r[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
  r[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
  r[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}
#define v_transpose4 v_transpose
