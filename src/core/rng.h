/* Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a
 * counter-based generator. Number i of stream (seed, stream, step) is a pure function of those
 * four, so any draw can be repeated, resumed or split over threads and SIMD lanes with the same
 * bits.
 */
#ifndef NN_CORE_RNG_H
#define NN_CORE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct nn_rng {
  uint64_t seed;   /* key */
  uint32_t stream; /* which use: shuffle, a dropout layer, an initializer */
  uint64_t step;   /* which draw of that use */
} nn_rng;

/* Words 4*block .. 4*block+3 of the stream. */
void nn_rng_block(const nn_rng *r, uint32_t block, uint32_t out[4]);
/* Elements first .. first+n-1 of the stream. uniform: [lo, hi), 24 bits; normal: Box-Muller pairs;
 * truncated_normal: resampled within +-2 stddev; randint: lo <= v < hi. */
void nn_rng_uniform(const nn_rng *r, uint64_t first, size_t n, float lo, float hi, float *out);
void nn_rng_normal(const nn_rng *r, uint64_t first, size_t n, float mean, float stddev, float *out);
void nn_rng_truncated_normal(const nn_rng *r, uint64_t first, size_t n, float mean, float stddev,
                             float *out);
void nn_rng_randint(const nn_rng *r, uint64_t first, size_t n, int32_t lo, int32_t hi,
                    int32_t *out);
/* Dropout's mask and product in one pass: out[i] = u_i >= rate ? x[i] * scale : 0, and mask[i] 1
 * or 0. */
void nn_rng_dropout(const nn_rng *r, uint64_t first, size_t n, float rate, float scale,
                    const float *x, float *out, uint8_t *mask);
/* A permutation of 0 .. n-1 (Fisher-Yates) into out. */
void nn_rng_permutation(const nn_rng *r, size_t n, int32_t *out);

#endif
