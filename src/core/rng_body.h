/* Philox4x32-10 and what is made of its words, VW blocks at once (see core/vec.h), as NN_TABLE. */
#include "core/vec_math.h"

/* Words 0 .. 3 of blocks block .. block+VW-1. */
NN_INLINE void philox(const nn_rng *r, uint32_t block, vi x[4]) {
  static const int32_t lanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const vi m0 = vi_set((int32_t)0xD2511F53u), m1 = vi_set((int32_t)0xCD9E8D57u);
  uint32_t k0 = (uint32_t)r->seed, k1 = (uint32_t)(r->seed >> 32);
  x[0] = vi_add(vi_set((int32_t)block), vi_load(lanes));
  x[1] = vi_set((int32_t)r->stream);
  x[2] = vi_set((int32_t)r->step), x[3] = vi_set((int32_t)(r->step >> 32));
  NN_UNROLL
  for (int round = 0; round < 10; round++) {
    vi lo0, lo1, hi0 = vi_mulhilo(m0, x[0], &lo0), hi1 = vi_mulhilo(m1, x[2], &lo1);
    x[0] = vi_xor(vi_xor(hi1, x[1]), vi_set((int32_t)k0)), x[1] = lo1;
    x[2] = vi_xor(vi_xor(hi0, x[3]), vi_set((int32_t)k1)), x[3] = lo0;
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
}

/* The words of each block side by side. */
NN_INLINE void interleave(int32_t *out, const vi x[4]) {
  float t[4][VW];
  vf r[4] = {v_float(x[0]), v_float(x[1]), v_float(x[2]), v_float(x[3])};
  v_transpose4(r); /* r[w]: blocks w, w + 4, w + 8, .. */
  for (int w = 0; w < 4; w++) v_store(t[w], r[w]);
  NN_UNROLL
  for (int i = 0; i < VW; i += 4)
    for (int w = 0; w < 4; w++) memcpy(out + 4 * (i + w), &t[w][i], 16);
}

/* The 24 high bits as a number in [0, 1). */
NN_INLINE vf unit(vi x) { return v_mul(vi_float(vi_shr(x, 8)), v_set(0x1p-24f)); }

static void r_words(uint32_t *out, const nn_rng *r, uint32_t block, size_t groups) {
  for (size_t i = 0; i < groups * 16; i += VW) {
    vi x[4];
    philox(r, block + (uint32_t)i, x);
    interleave((int32_t *)(void *)out + 4 * i, x);
  }
}

static void r_uniform(float *out, const nn_rng *r, uint32_t block, size_t groups, float lo,
                      float span, float limit) {
  for (size_t i = 0; i < groups * 16; i += VW) {
    vi x[4];
    philox(r, block + (uint32_t)i, x);
    for (int w = 0; w < 4; w++)
      x[w] = v_bits(v_min(v_set(limit), v_fma(unit(x[w]), v_set(span), v_set(lo))));
    interleave((int32_t *)(void *)(out + 4 * i), x);
  }
}

/* Box and Muller: sqrt(-2 log(1 - u)) times the cosine and the sine of 2 pi v. The quarter turns
 * are exact, so the angle needs no reduction. */
NN_INLINE void box_muller(vi a, vi b, vf *x, vf *y) {
  vf u = v_sub(v_set(1), unit(a)), turns = v_mul(unit(b), v_set(4));
  vf radius = v_sqrt(v_mul(v_set(-2), m_log(u)));
  vf t = v_add(turns, v_set(M_MAGIC));
  vf angle = v_mul(v_sub(turns, v_sub(t, v_set(M_MAGIC))), v_set(0x1.921fb6p+0f));
  *x = v_mul(radius, m_trig(angle, vi_add(v_bits(t), vi_set(1))));
  *y = v_mul(radius, m_trig(angle, v_bits(t)));
}

static void r_normal(float *out, const nn_rng *r, uint32_t block, size_t groups, float mean,
                     float stddev) {
  for (size_t i = 0; i < groups * 16; i += VW) {
    vi x[4];
    vf z[4];
    philox(r, block + (uint32_t)i, x);
    box_muller(x[0], x[1], &z[0], &z[1]);
    box_muller(x[2], x[3], &z[2], &z[3]);
    for (int w = 0; w < 4; w++) x[w] = v_bits(v_fma(z[w], v_set(stddev), v_set(mean)));
    interleave((int32_t *)(void *)(out + 4 * i), x);
  }
}

static void r_truncated(float *out, const nn_rng *r, uint32_t block, size_t groups) {
  for (size_t i = 0; i < groups * 16; i += VW) {
    vi x[4];
    vf z[4], y = v_set(NAN);
    philox(r, block + (uint32_t)i, x);
    box_muller(x[0], x[1], &z[0], &z[1]);
    box_muller(x[2], x[3], &z[2], &z[3]);
    for (int w = 3; w >= 0; w--) y = v_sel(v_lt(v_abs(z[w]), v_set(2)), z[w], y);
    v_store(out + i, y);
  }
}

static void r_dropout(float *out, uint8_t *mask, const float *x, const nn_rng *r, uint32_t block,
                      size_t groups, float rate, float scale) {
  for (size_t i = 0; i < groups * 16; i += VW) {
    vi w[4];
    int32_t u[4 * VW];
    philox(r, block + (uint32_t)i, w);
    for (int v = 0; v < 4; v++) w[v] = v_bits(unit(w[v]));
    interleave(u, w);
    for (int v = 0; v < 4; v++) {
      vm keep = v_le(v_set(rate), v_float(vi_load(u + v * VW)));
      size_t at = 4 * i + (size_t)v * VW;
      v_store(out + at, v_sel(keep, v_mul(v_load(x + at), v_set(scale)), v_zero()));
      vi_store(u + v * VW, v_bits(v_sel(keep, v_float(vi_set(1)), v_zero())));
    }
    for (int j = 0; j < 4 * VW; j++) mask[4 * i + (size_t)j] = (uint8_t)u[j];
  }
}

const nn_rng_kernels NN_TABLE = {r_words, r_uniform, r_normal, r_truncated, r_dropout};
