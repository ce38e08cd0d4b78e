/* Checks the generator: the published test vectors of Philox4x32-10, moments and ranges, that a
 * draw does not depend on how it is cut, and that all tables of this CPU give the same bits. Prints
 * TAP, exits with 1 when a line says "not ok".
 */
#include "core/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"

static int failed, count;

static void ok(int good, const char *what) {
  printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, what);
  failed |= !good;
}

/* From the authors' kat_vectors (Random123): counter, key, result. */
static void known_answers(void) {
  static const uint32_t v[3][10] = {
      {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
       0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
       0x94fdcceb, 0x5001e420, 0x24126ea1}};
  for (int i = 0; i < 3; i++) {
    nn_rng r = {(uint64_t)v[i][5] << 32 | v[i][4], v[i][1], (uint64_t)v[i][3] << 32 | v[i][2]};
    uint32_t out[4];
    char text[60];
    nn_rng_block(&r, v[i][0], out);
    snprintf(text, sizeof text, "known answer %d", i + 1);
    ok(memcmp(out, v[i] + 6, sizeof out) == 0, text);
  }
}

#define N 200000
static float x[N], y[N];

static void moments(const float *v, size_t n, double m[4]) {
  double mean = 0, s2 = 0, s3 = 0, s4 = 0;
  for (size_t i = 0; i < n; i++) mean += v[i];
  mean /= (double)n;
  for (size_t i = 0; i < n; i++) {
    double d = v[i] - mean;
    s2 += d * d, s3 += d * d * d, s4 += d * d * d * d;
  }
  m[0] = mean, m[1] = s2 / (double)n, m[2] = s3 / (double)n, m[3] = s4 / (double)n;
}

/* Bounds: 5 standard errors at N draws. */
static void distributions(void) {
  nn_rng r = {42, 7, 1};
  double m[4];
  nn_rng_uniform(&r, 0, N, -1, 3, x);
  moments(x, N, m);
  int inside = 1;
  for (size_t i = 0; i < N; i++) inside &= x[i] >= -1 && x[i] < 3;
  ok(inside, "uniform: lo <= u < hi");
  ok(fabs(m[0] - 1) < 0.013 && fabs(m[1] - 16.0 / 12) < 0.014, "uniform: mean, variance");
  nn_rng_normal(&r, 0, N, 0.5f, 2, x);
  moments(x, N, m);
  ok(fabs(m[0] - 0.5) < 0.023 && fabs(m[1] - 4) < 0.064 && fabs(m[2]) < 0.35 &&
         fabs(m[3] - 48) < 1.8,
     "normal: four moments");
  double cross = 0;
  for (size_t i = 0; i + 1 < N; i++) cross += (x[i] - 0.5) * (x[i + 1] - 0.5);
  ok(fabs(cross / N) < 0.045, "normal: neighbours do not correlate");
  nn_rng_truncated_normal(&r, 0, N, 0, 1, x);
  moments(x, N, m);
  inside = 1;
  for (size_t i = 0; i < N; i++) inside &= fabsf(x[i]) < 2;
  ok(inside, "truncated_normal: within two standard deviations");
  ok(fabs(m[0]) < 0.01 && fabs(m[1] - 0.7737413) < 0.009, "truncated_normal: mean, variance");
  static int32_t v[N];
  static int hits[7];
  nn_rng_randint(&r, 0, N, -3, 4, v);
  inside = 1;
  for (size_t i = 0; i < N; i++) {
    inside &= v[i] >= -3 && v[i] < 4;
    if (inside) hits[v[i] + 3]++;
  }
  for (int i = 0; i < 7; i++) inside &= abs(hits[i] - N / 7) < 5 * 157;
  ok(inside, "randint: range, evenly");
}

static void dropout(void) {
  static uint8_t mask[N];
  nn_rng r = {1, 2, 3};
  for (size_t i = 0; i < N; i++) x[i] = (float)i + 1;
  nn_rng_dropout(&r, 0, N, 0.3f, 1 / 0.7f, x, y, mask);
  int good = 1, kept = 0;
  float u;
  for (size_t i = 0; i < N; i++) {
    kept += mask[i];
    good &= y[i] == (mask[i] ? x[i] * (1 / 0.7f) : 0);
    if (i % 997 == 0) {
      nn_rng_uniform(&r, i, 1, 0, 1, &u);
      good &= mask[i] == (u >= 0.3f);
    }
  }
  ok(good, "dropout: output, mask and the uniform stream agree");
  ok(abs(kept - 7 * (N / 10)) < 1100, "dropout: rate");
}

static void permutations(void) {
  static int32_t p[10000];
  static uint8_t seen[10000];
  nn_rng r = {5, 0, 0};
  nn_rng_permutation(&r, 10000, p);
  int good = 1, fixed = 0;
  for (int i = 0; i < 10000; i++) {
    good &= p[i] >= 0 && p[i] < 10000 && !seen[p[i]];
    if (good) seen[p[i]] = 1;
    fixed += p[i] == i;
  }
  ok(good && fixed < 12, "permutation of 10000");
  int hits[24] = {0};
  for (r.step = 0; r.step < 24000; r.step++) {
    nn_rng_permutation(&r, 4, p);
    hits[p[0] * 6 + (p[1] - (p[1] > p[0])) * 2 + (p[2] > p[3])]++;
  }
  good = 1;
  for (int i = 0; i < 24; i++) good &= abs(hits[i] - 1000) < 160;
  ok(good, "permutation: all 24 of 4 are as frequent");
}

/* A hash of pieces of all draws, cut in odd places. */
static uint64_t digest(size_t cut) {
  uint64_t h = 14695981039346656037u;
  nn_rng r = {99, 4, 12345678901u};
  static float f[3][1000], one[1000];
  static int32_t v[1000], perm[1000];
  static uint8_t mask[1000];
  for (size_t i = 0; i < 1000; i++) one[i] = (float)i * 0.25f;
  static float z[1000];
  for (size_t i = 0; i < 1000; i += cut) {
    size_t n = 1000 - i < cut ? 1000 - i : cut;
    nn_rng_uniform(&r, 3 + i, n, -2, 5, f[0] + i);
    nn_rng_normal(&r, 3 + i, n, 1, 3, f[1] + i);
    nn_rng_truncated_normal(&r, 3 + i, n, 1, 3, f[2] + i);
    nn_rng_randint(&r, 3 + i, n, -5, 1000000, v + i);
    nn_rng_dropout(&r, 3 + i, n, 0.4f, 1.5f, one + i, z + i, mask + i);
  }
  nn_rng_permutation(&r, 1000, perm);
  const void *parts[] = {f, v, z, mask, perm};
  const size_t sizes[] = {sizeof f, sizeof v, sizeof z, sizeof mask, sizeof perm};
  for (int p = 0; p < 5; p++)
    for (size_t i = 0; i < sizes[p]; i++) h = (h ^ ((const uint8_t *)parts[p])[i]) * 1099511628211u;
  return h;
}

int main(void) {
  static const char *const names[] = {"portable", "avx2", "avx512", "neon"};
  known_answers();
  distributions();
  dropout();
  permutations();
  nn_kernels_force("portable");
  uint64_t want = digest(1000);
  for (int t = 0; t < 4; t++) {
    if (!nn_kernels_force(names[t])) continue;
    int good = 1;
    for (size_t cut = 1; cut <= 1000; cut = cut * 3 + 1) good &= digest(cut) == want;
    char text[80];
    snprintf(text, sizeof text, "%s: the same bits however a draw is cut", names[t]);
    ok(good, text);
  }
  printf("1..%d\n", count);
  return failed;
}
