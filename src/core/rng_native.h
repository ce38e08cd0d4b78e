/* The parts of the generator that are compiled once an instruction set. A group is 16 blocks. */
#ifndef NN_CORE_RNG_NATIVE_H
#define NN_CORE_RNG_NATIVE_H

#include "core/rng.h"

#define NN_RNG_GROUP 64 /* words of a group */

typedef struct nn_rng_kernels {
  /* Words of `groups` groups from `block`. */
  void (*words)(uint32_t *out, const nn_rng *r, uint32_t block, size_t groups);
  /* One number a word: lo + u * span, below `limit`. */
  void (*uniform)(float *out, const nn_rng *r, uint32_t block, size_t groups, float lo, float span,
                  float limit);
  void (*normal)(float *out, const nn_rng *r, uint32_t block, size_t groups, float mean,
                 float stddev);
  /* One number a block, that is 16 a group; NaN where all four draws of a block lie outside. */
  void (*truncated)(float *out, const nn_rng *r, uint32_t block, size_t groups);
  void (*dropout)(float *out, uint8_t *mask, const float *x, const nn_rng *r, uint32_t block,
                  size_t groups, float rate, float scale);
} nn_rng_kernels;

extern const nn_rng_kernels nn_rng_avx512, nn_rng_avx2, nn_rng_neon, nn_rng_portable;

#endif
