/* What the machine can do at most: fused multiply-adds in registers, and memory read and written
 * (x = y + a z on arrays far beyond the caches), on one thread and on all. */
#include <pthread.h>
#include <unistd.h>

#include "limit.h"

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
#define CHAINS (LANES == 16 ? 24 : 12) /* independent sums, to fill the pipelines */
#define LOOPS 4000000
#define FLOATS ((size_t)1 << 24)

typedef float vec __attribute__((vector_size(LANES * 4)));

static void *multiply(void *arg) {
  vec sum[CHAINS], a, b;
  for (int i = 0; i < LANES; i++) a[i] = 0.999f, b[i] = 1e-3f;
  for (int i = 0; i < CHAINS; i++) sum[i] = b * (float)i;
  for (int n = 0; n < LOOPS; n++) {
    __asm__ volatile("" : "+x"(a), "+x"(b)); /* not known in advance */
#pragma GCC unroll 24
    for (int i = 0; i < CHAINS; i++) sum[i] = sum[i] * a + b;
  }
  for (int i = 1; i < CHAINS; i++) sum[0] += sum[i];
  *(float *)arg = sum[0][0];
  return NULL;
}

static void *triad(void *arg) {
  float **p = arg, *restrict x = p[0], *restrict y = p[1], *restrict z = p[2];
  for (int n = 0; n < 4; n++) {
    for (size_t i = 0; i < FLOATS; i++) x[i] = y[i] + 0.5f * z[i];
    __asm__ volatile("" ::: "memory");
  }
  return NULL;
}

/* Seconds of f on `threads` threads, the least of five. */
static double timed(void *(*f)(void *), void **args, int threads) {
  pthread_t id[256];
  double least = 1e9;
  for (int round = 0; round < 5; round++) {
    double start = now();
    for (int i = 1; i < threads; i++) pthread_create(&id[i], NULL, f, args[i]);
    f(args[0]);
    for (int i = 1; i < threads; i++) pthread_join(id[i], NULL);
    double t = now() - start;
    if (t < least) least = t;
  }
  return least;
}

int peak(void) {
  int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
  if (cpus > 256) cpus = 256;
  static float sink[256], *arrays[256][3];
  void *sinks[256], *triads[256];
  for (int i = 0; i < cpus; i++) {
    sinks[i] = &sink[i], triads[i] = arrays[i];
    for (int j = 0; j < 3; j++) {
      arrays[i][j] = malloc(FLOATS * sizeof(float));
      if (!arrays[i][j]) return 1;
      for (size_t k = 0; k < FLOATS; k++) arrays[i][j][k] = 1;
    }
  }
  double flops = 2.0 * LANES * CHAINS * LOOPS, bytes = 4.0 * 3 * sizeof(float) * FLOATS;
  double one = timed(multiply, sinks, 1), all = timed(multiply, sinks, cpus);
  double stream = timed(triad, triads, 1), streams = timed(triad, triads, cpus);
  printf("{\"lanes\":%d,\"threads\":%d,\"gflops_one\":%.1f,\"gflops_all\":%.1f,"
         "\"gigabytes_one\":%.1f,\"gigabytes_all\":%.1f}\n",
         LANES, cpus, flops / one * 1e-9, flops * cpus / all * 1e-9, bytes / stream * 1e-9,
         bytes * cpus / streams * 1e-9);
  return 0;
}
