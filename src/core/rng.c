/* Philox's counter is (block, stream, step low, step high), its key the seed; word w of block b is
 * element 4 b + w. The work is done 16 blocks at a time; ends that do not fill a group go through a
 * small buffer.
 */
#include "core/rng.h"

#include <math.h>
#include <string.h>

#include "core/isa.h"
#include "core/rng_native.h"

static const nn_rng_kernels *const tables[NN_ISA_COUNT] = NN_ISA_TABLES(nn_rng);

static const nn_rng_kernels *kernels(void) { return tables[nn_isa_get()]; }

void nn_rng_block(const nn_rng *r, uint32_t block, uint32_t out[4]) {
  uint32_t x0 = block, x1 = r->stream, x2 = (uint32_t)r->step, x3 = (uint32_t)(r->step >> 32);
  uint32_t k0 = (uint32_t)r->seed, k1 = (uint32_t)(r->seed >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53u * x0, p1 = (uint64_t)0xCD9E8D57u * x2;
    x0 = (uint32_t)(p1 >> 32) ^ x1 ^ k0, x1 = (uint32_t)p1;
    x2 = (uint32_t)(p0 >> 32) ^ x3 ^ k1, x3 = (uint32_t)p0;
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  out[0] = x0, out[1] = x1, out[2] = x2, out[3] = x3;
}

/* A span of elements from an element: how many whole groups can be written in place (0: `part`
 * elements must go through a buffer that begins `skip` elements before). */
typedef struct span {
  uint32_t block;
  size_t skip, groups, part;
} span;

static span span_of(uint64_t first, size_t n) {
  span s = {(uint32_t)(first / 4), (size_t)(first % 4), 0, 0};
  if (s.skip == 0 && n >= NN_RNG_GROUP)
    s.groups = n / NN_RNG_GROUP;
  else
    s.part = n < NN_RNG_GROUP - s.skip ? n : NN_RNG_GROUP - s.skip;
  return s;
}

void nn_rng_uniform(const nn_rng *r, uint64_t first, size_t n, float lo, float hi, float *out) {
  float buffer[NN_RNG_GROUP], limit = hi > lo ? nextafterf(hi, lo) : lo;
  while (n > 0) {
    span s = span_of(first, n);
    size_t done = s.groups ? s.groups * NN_RNG_GROUP : s.part;
    kernels()->uniform(s.groups ? out : buffer, r, s.block, s.groups ? s.groups : 1, lo, hi - lo,
                       limit);
    if (!s.groups) memcpy(out, buffer + s.skip, done * sizeof *out);
    first += done, n -= done, out += done;
  }
}

void nn_rng_normal(const nn_rng *r, uint64_t first, size_t n, float mean, float stddev,
                   float *out) {
  float buffer[NN_RNG_GROUP];
  while (n > 0) {
    span s = span_of(first, n);
    size_t done = s.groups ? s.groups * NN_RNG_GROUP : s.part;
    kernels()->normal(s.groups ? out : buffer, r, s.block, s.groups ? s.groups : 1, mean, stddev);
    if (!s.groups) memcpy(out, buffer + s.skip, done * sizeof *out);
    first += done, n -= done, out += done;
  }
}

/* Element i has block i for itself, and where its four draws fail (4 in a million), blocks of the
 * streams that follow (their distance is no stream's number in use). */
static float resample(const nn_rng *r, uint32_t block) {
  nn_rng again = *r;
  float z[16];
  do {
    again.stream += 0x9E3779B9u;
    kernels()->truncated(z, &again, block, 1);
  } while (z[0] != z[0]);
  return z[0];
}

void nn_rng_truncated_normal(const nn_rng *r, uint64_t first, size_t n, float mean, float stddev,
                             float *out) {
  float z[16];
  for (size_t i = 0; i < n; i += 16) {
    kernels()->truncated(z, r, (uint32_t)(first + i), 1);
    for (size_t j = 0; j < 16 && i + j < n; j++) {
      if (z[j] != z[j]) z[j] = resample(r, (uint32_t)(first + i + j));
      out[i + j] = z[j] * stddev + mean;
    }
  }
}

/* The high half of word * range: the bias is below range / 2^32. */
void nn_rng_randint(const nn_rng *r, uint64_t first, size_t n, int32_t lo, int32_t hi,
                    int32_t *out) {
  uint32_t buffer[NN_RNG_GROUP], range = (uint32_t)hi - (uint32_t)lo;
  while (n > 0) {
    size_t skip = (size_t)(first % 4), done = NN_RNG_GROUP - skip;
    if (done > n) done = n;
    kernels()->words(buffer, r, (uint32_t)(first / 4), 1);
    for (size_t i = 0; i < done; i++) {
      uint64_t wide = (uint64_t)buffer[skip + i] * range;
      out[i] = (int32_t)((uint32_t)lo + (uint32_t)(wide >> 32));
    }
    first += done, n -= done, out += done;
  }
}

void nn_rng_dropout(const nn_rng *r, uint64_t first, size_t n, float rate, float scale,
                    const float *x, float *out, uint8_t *mask) {
  while (n > 0) {
    span s = span_of(first, n);
    size_t done = s.groups ? s.groups * NN_RNG_GROUP : s.part;
    if (s.groups) {
      kernels()->dropout(out, mask, x, r, s.block, s.groups, rate, scale);
    } else {
      float in[NN_RNG_GROUP] = {0}, y[NN_RNG_GROUP];
      uint8_t kept[NN_RNG_GROUP];
      memcpy(in + s.skip, x, done * sizeof *x);
      kernels()->dropout(y, kept, in, r, s.block, 1, rate, scale);
      memcpy(out, y + s.skip, done * sizeof *out);
      memcpy(mask, kept + s.skip, done);
    }
    first += done, n -= done, x += done, out += done, mask += done;
  }
}

/* The words of a stream, one after the other. */
typedef struct word_source {
  const nn_rng *r;
  uint32_t block;
  size_t used;
  uint32_t word[16 * NN_RNG_GROUP];
} word_source;

static uint32_t next_word(word_source *s) {
  if (s->used == 16 * NN_RNG_GROUP) {
    kernels()->words(s->word, s->r, s->block, 16);
    s->block += 16 * NN_RNG_GROUP / 4;
    s->used = 0;
  }
  return s->word[s->used++];
}

/* 0 <= result < range, exactly even: products whose low half falls into the incomplete last
 * interval are drawn again (Lemire 2019, "Fast random integer generation in an interval"). */
static uint32_t next_below(word_source *s, uint32_t range) {
  uint64_t wide = (uint64_t)next_word(s) * range;
  if ((uint32_t)wide < range) {
    uint32_t least = (0u - range) % range;
    while ((uint32_t)wide < least) wide = (uint64_t)next_word(s) * range;
  }
  return (uint32_t)(wide >> 32);
}

void nn_rng_permutation(const nn_rng *r, size_t n, int32_t *out) {
  word_source s = {.r = r, .block = 0, .used = 16 * NN_RNG_GROUP};
  for (size_t i = 0; i < n; i++) {
    size_t j = next_below(&s, (uint32_t)i + 1);
    out[i] = out[j];
    out[j] = (int32_t)i;
  }
}
