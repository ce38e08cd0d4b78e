/* Which instruction set runs: asked of the CPU at each start, or forced by a test. */
#include "core/kernels.h"

#include <stdatomic.h>
#include <string.h>

#include "core/isa.h"

static const nn_kernels *const tables[NN_ISA_COUNT] = NN_ISA_TABLES(nn_kernels);

/* 1 + the index in use; 0 = not yet asked. All tables give the same bits, so that this is the one
 * mutable variable of the process does no harm. */
static atomic_int chosen;

static int cpu_has(int isa) {
#if defined(__x86_64__)
  if (isa == NN_ISA_AVX512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (isa == NN_ISA_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return tables[isa] != NULL;
}

static int best_isa(void) {
  int isa = NN_ISA_COUNT - 1;
  while (!tables[isa] || !cpu_has(isa)) isa--;
  return isa;
}

int nn_isa_get(void) {
  int c = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (c == 0) {
    c = best_isa() + 1;
    atomic_store_explicit(&chosen, c, memory_order_relaxed);
  }
  return c - 1;
}

const nn_kernels *nn_kernels_get(void) { return tables[nn_isa_get()]; }

int nn_kernels_force(const char *name) {
  for (int isa = 0; isa < NN_ISA_COUNT; isa++) {
    if (!tables[isa] || (name && strcmp(tables[isa]->name, name) != 0)) continue;
    if (name && !cpu_has(isa)) return 0;
    atomic_store_explicit(&chosen, (name ? isa : best_isa()) + 1, memory_order_relaxed);
    return 1;
  }
  return 0;
}

/* The first 256 bits of 2/pi after the point, behind 32 zero bits. */
static const uint32_t two_over_pi[] = {0,          0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                       0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561};

/* Payne and Hanek's reduction: with x = m 2^e, the bits of 2/pi that matter to m 2^e (2/pi)
 * modulo 4 are the 96 from the one of weight 2^1; the product with m is exact modulo 2^96. */
float nn_reduce_pi2(float x, int32_t *q) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  int e = (int)(bits >> 23 & 0xff) - 150;
  if (e > 104) return *q = 0, x - x; /* inf, NaN */
  uint64_t m = (bits & 0x7fffff) | 0x800000;
  int at = e - 2 + 32, word = at / 32, shift = at % 32; /* index of the first of the 96 bits */
  uint32_t w[3];
  for (int i = 0; i < 3; i++) {
    uint64_t pair = (uint64_t)two_over_pi[word + i] << 32 | two_over_pi[word + i + 1];
    w[i] = (uint32_t)(pair << shift >> 32);
  }
  uint64_t low = m * w[2], mid = m * w[1] + (low >> 32), top = m * w[0] + (mid >> 32);
  uint64_t turn = top << 32 | (mid & 0xffffffff); /* quarter turns modulo 4, in units of 2^-62 */
  uint64_t quarter = (turn + (UINT64_C(1) << 61)) >> 62;
  int64_t rest = (int64_t)(turn - (quarter << 62));
  double r = (double)rest * (0x1.921fb54442d18p+0 * 0x1p-62);
  *q = (int32_t)(quarter & 3);
  if (x < 0) *q = -*q, r = -r;
  return (float)r;
}
