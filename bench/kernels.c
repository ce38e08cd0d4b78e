/* The kernel table: each kernel at the sizes that the workloads W1 to W4 and I1 use, one JSON line
 * each, beside the peak of one thread measured in the same run.
 *
 *   kernels [threads] [part of the name] [table]
 *
 * ns is the median of several rounds; OpenBLAS, where there is one, is measured between two rounds
 * of the native kernels (at small sizes it is not called: both numbers are native).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/gemm.h"
#include "core/kernels.h"
#include "core/rng.h"

#define ROUNDS 9
#define ROUND_SECONDS 0.02

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef void (*body)(void *arg);

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Median seconds of one call. */
static double measure(body f, void *arg) {
  double t[ROUNDS], once, start;
  long n = 1;
  for (;; n *= 2) {
    start = now();
    for (long i = 0; i < n; i++) f(arg);
    once = now() - start;
    if (once > ROUND_SECONDS / 4) break;
  }
  n = (long)((double)n * ROUND_SECONDS / once) + 1;
  for (int r = 0; r < ROUNDS; r++) {
    start = now();
    for (long i = 0; i < n; i++) f(arg);
    t[r] = (now() - start) / (double)n;
  }
  qsort(t, ROUNDS, sizeof *t, by_value);
  return t[ROUNDS / 2];
}

/* Operands that stay in the first-level cache and no edges: as fast as the machine multiplies. */
static double peak_gflops;

static float *array(size_t n) {
  float *x = aligned_alloc(64, (n * sizeof *x + 127) / 64 * 64);
  for (size_t i = 0; i < n; i++) x[i] = (float)((i * 7919) % 1000) * 1e-3f - 0.5f;
  return x;
}

typedef struct product {
  const char *use, *kind;
  int m, n, k;
} product;

static const product products[] = {
    {"W1", "nn", 32, 5, 39},        {"W1", "nn", 32, 5, 5},        {"W1", "nn", 32, 2, 5},
    {"W1", "tn", 39, 5, 32},        {"W1", "tn", 5, 5, 32},        {"W1", "tn", 5, 2, 32},
    {"W1", "nt", 32, 5, 2},         {"W1", "nt", 32, 5, 5},        {"W3", "nn", 32, 128, 64},
    {"W3", "nn", 32, 64, 128},      {"W3", "nn", 32, 1, 64},       {"W3", "tn", 64, 128, 32},
    {"W3", "tn", 128, 64, 32},      {"W3", "tn", 64, 1, 32},       {"W3", "nt", 32, 128, 64},
    {"W3", "nt", 32, 64, 1},        {"W2", "nn", 128, 512, 784},   {"W2", "nn", 128, 512, 512},
    {"W2", "nn", 128, 10, 512},     {"W2", "tn", 784, 512, 128},   {"W2", "tn", 512, 512, 128},
    {"W2", "tn", 512, 10, 128},     {"W2", "nt", 128, 512, 512},   {"W2", "nt", 128, 512, 10},
    {"W4", "nn", 256, 2048, 1024},  {"W4", "nn", 256, 2048, 2048}, {"W4", "nn", 256, 1000, 2048},
    {"W4", "tn", 2048, 2048, 256},  {"W4", "tn", 2048, 1000, 256}, {"W4", "nt", 256, 2048, 2048},
    {"W4", "nt", 256, 2048, 1000},  {"I1", "nn", 1, 512, 784},     {"I1", "nn", 1, 512, 512},
    {"I1", "nn", 1, 10, 512},       {"I1", "nn", 1024, 512, 784},  {"I1", "nn", 1024, 10, 512}};

typedef struct job {
  nn_gemm *g;
  const product *p;
  float *a, *b, *c, *row;
} job;

static void run_product(void *arg) {
  job *j = arg;
  const product *p = j->p;
  if (p->kind[1] == 't')
    nn_gemm_nt(j->g, p->m, p->n, p->k, j->a, p->k, j->b, p->k, 0, j->c, p->n);
  else if (p->kind[0] == 't')
    nn_gemm_tn(j->g, p->m, p->n, p->k, j->a, p->m, j->b, p->n, 0, j->c, p->n);
  else
    nn_gemm_nn(j->g, p->m, p->n, p->k, j->a, p->k, j->b, p->n, 0, j->row, NN_ACT_RELU, j->c, p->n);
}

static void bench_product(nn_gemm *g, const product *p) {
  job j = {g, p, array((size_t)p->m * p->k), array((size_t)p->n * p->k),
           array((size_t)p->m * p->n), array((size_t)p->n)};
  double flops = 2.0 * p->m * p->n * p->k, native, blas = 0;
  nn_gemm_reserve(g, p->m, p->n, p->k, NULL);
  nn_gemm_set_backend(g, NN_GEMM_NATIVE, NULL);
  native = measure(run_product, &j);
  if (nn_gemm_set_backend(g, NN_GEMM_OPENBLAS, NULL) == NN_OK) blas = measure(run_product, &j);
  nn_gemm_set_backend(g, NN_GEMM_NATIVE, NULL);
  double again = measure(run_product, &j);
  if (again < native) native = again;
  char shape[48];
  snprintf(shape, sizeof shape, "%dx%dx%d", p->m, p->n, p->k);
  printf("{\"kernel\":\"gemm_%s\",\"use\":\"%s\",\"size\":\"%s\",\"ns\":%.0f,\"gflops\":%.1f,"
         "\"peak\":%.3f,\"openblas_ns\":%.0f,\"ratio\":%.2f}\n",
         p->kind, p->use, shape, native * 1e9, flops / native * 1e-9,
         flops / native * 1e-9 / peak_gflops, blas * 1e9, blas / native);
  free(j.a), free(j.b), free(j.c), free(j.row);
}

typedef struct map {
  nn_map1 f;
  float *x, *y;
  size_t n;
} map;

static void run_map(void *arg) {
  map *m = arg;
  m->f(m->y, m->x, m->n);
}

static void line(const char *name, size_t n, double seconds) {
  printf("{\"kernel\":\"%s\",\"size\":%zu,\"ns\":%.0f,\"ns_each\":%.3f}\n", name, n, seconds * 1e9,
         seconds * 1e9 / (double)n);
}

static void bench_maps(const char *part) {
  const nn_kernels *k = nn_kernels_get();
  const struct {
    const char *name;
    nn_map1 f;
  } maps[] = {{"exp", k->exp},   {"log", k->log},           {"tanh", k->tanh},
              {"erf", k->erf},   {"gelu", k->gelu},         {"sigmoid", k->sigmoid},
              {"sqrt", k->sqrt}, {"softplus", k->softplus}, {"relu", k->relu},
              {"sin", k->sin}};
  for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
    for (size_t n = 160; n <= 65536; n = n == 160 ? 65536 : n * 2) {
      map m = {maps[i].f, array(n), array(n), n};
      if (strstr(maps[i].name, part)) line(maps[i].name, n, measure(run_map, &m));
      free(m.x), free(m.y);
    }
}

typedef struct rows {
  float *x, *y;
  int32_t *index;
  uint8_t *mask;
  size_t m, n;
} rows;

static void run_softmax(void *arg) {
  rows *r = arg;
  nn_kernels_get()->softmax(r->y, r->x, r->m, r->n);
}
static void run_gather(void *arg) {
  rows *r = arg;
  nn_kernels_get()->gather_rows(r->y, r->x, r->index, r->m, r->n);
}
static void run_sum_rows(void *arg) {
  rows *r = arg;
  nn_kernels_get()->sum_rows(r->y, r->x, 0, r->m, r->n);
}
static void run_permutation(void *arg) {
  rows *r = arg;
  nn_rng g = {1, 2, 3};
  nn_rng_permutation(&g, r->m, r->index);
}
static void run_dropout(void *arg) {
  rows *r = arg;
  nn_rng g = {1, 2, 3};
  nn_rng_dropout(&g, 0, r->m * r->n, 0.5f, 2, r->x, r->y, r->mask);
}
static void run_uniform(void *arg) {
  rows *r = arg;
  nn_rng g = {1, 2, 3};
  nn_rng_uniform(&g, 0, r->m * r->n, -1, 1, r->y);
}
static void run_normal(void *arg) {
  rows *r = arg;
  nn_rng g = {1, 2, 3};
  nn_rng_normal(&g, 0, r->m * r->n, 0, 1, r->y);
}

static void bench_rows(const char *part) {
  static const struct {
    const char *name;
    body f;
    size_t m, n;
  } cases[] = {{"softmax", run_softmax, 32, 2},     {"softmax", run_softmax, 128, 10},
               {"softmax", run_softmax, 256, 1000}, {"gather_rows", run_gather, 32, 39},
               {"gather_rows", run_gather, 128, 784}, {"sum_rows", run_sum_rows, 32, 5},
               {"sum_rows", run_sum_rows, 128, 512}, {"permutation", run_permutation, 10000, 1},
               {"dropout", run_dropout, 128, 512},  {"uniform", run_uniform, 128, 512},
               {"normal", run_normal, 128, 512}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t m = cases[i].m, n = cases[i].n;
    rows r = {array(m * n), array(m * n), malloc(m * sizeof(int32_t)), malloc(m * n), m, n};
    for (size_t j = 0; j < m; j++) r.index[j] = (int32_t)(j * 13 % m);
    if (strstr(cases[i].name, part)) line(cases[i].name, m * n, measure(cases[i].f, &r));
    free(r.x), free(r.y), free(r.index), free(r.mask);
  }
}

static void measure_peak(nn_gemm *g) {
  static const product p = {"", "nn", 14, 32, 240};
  job j = {g, &p, array(14 * 240), array(32 * 240), array(14 * 32), array(32)};
  for (int i = 0; i < 5; i++) { /* the best: others may use the processor meanwhile */
    double gflops = 2.0 * p.m * p.n * p.k / measure(run_product, &j) * 1e-9;
    if (gflops > peak_gflops) peak_gflops = gflops;
  }
  printf("{\"kernel\":\"peak\",\"table\":\"%s\",\"threads\":%d,\"gflops\":%.1f}\n",
         nn_kernels_get()->name, nn_pool_threads(g->pool), peak_gflops);
  free(j.a), free(j.b), free(j.c), free(j.row);
}

int main(int argc, char **argv) {
  int threads = argc > 1 ? atoi(argv[1]) : 1;
  const char *part = argc > 2 ? argv[2] : "";
  nn_alloc alloc;
  nn_gemm g;
  nn_pool *pool;
  nn_alloc_init(&alloc, NULL, NULL, 0);
  if (nn_pool_new(&alloc, threads, &pool, NULL) != NN_OK) return 1;
  if (argc > 3 && !nn_kernels_force(argv[3])) return 1;
  nn_gemm_init(&g, &alloc, pool);
  measure_peak(&g);
  for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
    char name[32];
    snprintf(name, sizeof name, "gemm_%s %s", products[i].kind, products[i].use);
    if (strstr(name, part)) bench_product(&g, &products[i]);
  }
  bench_maps(part);
  bench_rows(part);
  nn_gemm_clear(&g);
  nn_pool_free(pool);
  return 0;
}
