/* Checks the native matrix products bit for bit against the sum that core/gemm.h promises: a chain
 * of fused multiply-adds over k in order. Every table of this CPU, 1, 2 and 4 threads, random odd
 * shapes and large ones, with and without packing buffer; then OpenBLAS, where there is one, within
 * rounding. Prints TAP, exits with 1 when a line says "not ok".
 */
#include "core/gemm.h"

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

static uint64_t random_state = 88172645463325252u;
static uint32_t random_word(void) {
  random_state ^= random_state << 13, random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 32);
}
static float random_float(void) { return (float)(int32_t)random_word() * 0x1p-31f; }
static int64_t random_upto(int64_t n) { return 1 + random_word() % n; }

enum kind { NN, TN, NT };

typedef struct problem {
  enum kind kind;
  int64_t m, n, k, lda, ldb, ldc;
  int add, bias;
  nn_act act;
  size_t na, nb, nc;
  float *a, *b, *c, *row;
} problem;

static float *random_array(size_t n) {
  float *x = malloc(n * sizeof *x);
  for (size_t i = 0; i < n; i++) x[i] = random_float();
  return x;
}

static problem make(enum kind kind, int64_t m, int64_t n, int64_t k, int padded) {
  problem p = {.kind = kind, .m = m, .n = n, .k = k};
  int64_t pad = padded ? random_upto(5) : 0;
  p.lda = (kind == TN ? m : k) + pad, p.ldb = (kind == NT ? k : n) + pad, p.ldc = n + pad;
  p.na = (size_t)((kind == TN ? k : m) * p.lda), p.nb = (size_t)((kind == NT ? n : k) * p.ldb);
  p.nc = (size_t)(m * p.ldc);
  p.a = random_array(p.na), p.b = random_array(p.nb), p.c = random_array(p.nc);
  p.row = random_array((size_t)n);
  return p;
}
static void drop(problem *p) { free(p->a), free(p->b), free(p->c), free(p->row); }

static float act_of(nn_act act, float x) {
  const nn_kernels *k = nn_kernels_get();
  if (act == NN_ACT_RELU) return x < 0 ? 0 : x;
  if (act == NN_ACT_SIGMOID) k->sigmoid(&x, &x, 1);
  if (act == NN_ACT_TANH) k->tanh(&x, &x, 1);
  return x;
}

static void reference(const problem *p, float *c) {
  for (int64_t i = 0; i < p->m; i++)
    for (int64_t j = 0; j < p->n; j++) {
      float s = p->bias ? p->row[j] : p->add ? c[i * p->ldc + j] : 0;
      for (int64_t q = 0; q < p->k; q++)
        s = fmaf(p->kind == TN ? p->a[q * p->lda + i] : p->a[i * p->lda + q],
                 p->kind == NT ? p->b[j * p->ldb + q] : p->b[q * p->ldb + j], s);
      c[i * p->ldc + j] = act_of(p->act, s);
    }
}

static void run(nn_gemm *g, const problem *p, float *c) {
  float beta = p->add ? 1 : 0;
  if (p->kind == NN)
    nn_gemm_nn(g, p->m, p->n, p->k, p->a, p->lda, p->b, p->ldb, beta, p->bias ? p->row : NULL,
               p->act, c, p->ldc);
  else
    (p->kind == TN ? nn_gemm_tn : nn_gemm_nt)(g, p->m, p->n, p->k, p->a, p->lda, p->b, p->ldb,
                                              beta, c, p->ldc);
}

/* Compares all of C with what was expected, the gaps between its rows included. */
static int agrees(nn_gemm *g, const problem *p, const float *want) {
  float *c = malloc(p->nc * sizeof *c);
  memcpy(c, p->c, p->nc * sizeof *c);
  run(g, p, c);
  int good = memcmp(c, want, p->nc * sizeof *c) == 0;
  if (!good)
    printf("# kind %d (%lld, %lld, %lld) lda %lld add %d bias %d act %d\n", (int)p->kind,
           (long long)p->m, (long long)p->n, (long long)p->k, (long long)p->lda, p->add, p->bias,
           (int)p->act);
  free(c);
  return good;
}

static nn_gemm *gemms[4]; /* 1, 2, 4 threads; the last without a packing buffer */
static const char *const names[] = {"portable", "avx2", "avx512", "neon"};
static int good_in[4];

/* One problem in every table and number of threads. */
static void check(problem *p) {
  float *want = malloc(p->nc * sizeof *want);
  memcpy(want, p->c, p->nc * sizeof *want);
  nn_kernels_force(NULL);
  reference(p, want);
  for (int t = 0; t < 4; t++) {
    if (!nn_kernels_force(names[t])) continue;
    for (int i = 0; i < 4; i++) {
      if (i < 3) nn_gemm_reserve(gemms[i], p->m, p->n, p->k, NULL);
      good_in[t] &= agrees(gemms[i], p, want);
    }
  }
  free(want);
  drop(p);
}

static void random_problems(int rounds, int64_t size) {
  for (int i = 0; i < rounds; i++) {
    enum kind kind = (enum kind)(i % 3);
    problem p = make(kind, random_upto(size), random_upto(size), random_upto(size), i % 2);
    p.add = random_word() % 2;
    if (kind == NN) {
      p.bias = !p.add && random_word() % 2;
      p.act = (nn_act)(random_word() % 4);
    }
    check(&p);
  }
}

static void known_problems(void) {
  static const int64_t sizes[][3] = {
      {32, 5, 39},    {32, 5, 5},     {32, 2, 5},    {39, 5, 32},  {1, 512, 784}, {1, 10, 512},
      {32, 128, 64},  {32, 1, 64},    {64, 1, 32},   {32, 64, 1},  {128, 10, 512}, {100, 200, 600},
      {520, 130, 128}, {100, 33, 300}, {1030, 70, 90}, {57, 65, 513}, {300, 17, 100}, {3, 700, 300},
      {1, 1, 1},      {5, 7, 0},      {17, 1, 1},    {1, 17, 1}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int kind = 0; kind < 3; kind++)
      for (int variant = 0; variant < 2; variant++) {
        problem p = make((enum kind)kind, sizes[i][0], sizes[i][1], sizes[i][2], variant);
        if (kind == NN) p.bias = variant, p.act = variant ? NN_ACT_RELU : NN_ACT_LINEAR;
        if (kind != NN) p.add = variant;
        check(&p);
      }
}

/* Takes a copy of what it is given, and counts how often each element was. */
typedef struct taken {
  const float *c;
  float *copy;
  unsigned char *times;
  int64_t n;
} taken;

static void take(void *arg, int64_t at, int64_t rows, int64_t cols) {
  taken *t = arg;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = at + i * t->n; j < at + i * t->n + cols; j++)
      t->copy[j] = t->c[j], t->times[j]++;
}

static int is_taken_once(nn_gemm *g, const problem *p, const float *want) {
  taken t = {p->c, malloc(p->nc * sizeof(float)), calloc(p->nc, 1), p->n};
  nn_gemm_taker taker = {.take = take, .arg = &t, .beside = {want}, .n_beside = 1};
  int good = nn_gemm_tn_taken(g, p->m, p->n, p->k, p->a, p->lda, p->b, p->ldb, p->c, &taker);
  good &= taker.taken && memcmp(t.copy, want, p->nc * sizeof(float)) == 0;
  for (size_t i = 0; i < p->nc; i++) good &= t.times[i] == 1;
  free(t.copy), free(t.times);
  return good;
}

static void takers(void) {
  static const int64_t sizes[][3] = {{301, 130, 64}, {1500, 33, 300}, {97, 1001, 513}};
  nn_gemm_taker none = {.take = take};
  for (int t = 0; t < 4; t++) {
    int good = 1;
    if (!nn_kernels_force(names[t])) continue;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      problem p = make(TN, sizes[i][0], sizes[i][1], sizes[i][2], 0);
      float *want = malloc(p.nc * sizeof *want);
      reference(&p, want);
      for (int k = 0; k < 3; k++) {
        nn_gemm_reserve(gemms[k], p.m, p.n, p.k, NULL);
        good &= is_taken_once(gemms[k], &p, want);
      }
      free(want), drop(&p);
    }
    ok(good, "each element of a product is taken once, when it is finished");
  }
  nn_kernels_force(NULL);
  float x[4] = {0};
  ok(!nn_gemm_tn_taken(gemms[0], 2, 2, 1, x, 2, x, 2, x, &none) && !none.taken,
     "small products are not taken in parts");
}

static void check_openblas(nn_gemm *g) {
  nn_error e;
  if (nn_gemm_set_backend(g, NN_GEMM_OPENBLAS, &e) != NN_OK) {
    printf("# no OpenBLAS: %s\n", e.text);
    return;
  }
  int good = 1;
  for (int kind = 0; kind < 3; kind++) {
    problem p = make((enum kind)kind, 150, 130, 140, 1);
    if (kind == NN) p.bias = 1, p.act = NN_ACT_TANH;
    float *want = malloc(p.nc * sizeof *want), *got = malloc(p.nc * sizeof *got);
    memcpy(want, p.c, p.nc * sizeof *want), memcpy(got, p.c, p.nc * sizeof *got);
    nn_gemm_reserve(g, p.m, p.n, p.k, NULL);
    reference(&p, want), run(g, &p, got);
    for (size_t i = 0; i < p.nc; i++) good &= fabsf(want[i] - got[i]) < 2e-5f;
    free(want), free(got), drop(&p);
  }
  ok(good, "openblas: nn with bias and tanh, tn, nt within rounding");
  nn_gemm_set_backend(g, NN_GEMM_NATIVE, NULL);
}

int main(void) {
  static nn_gemm store[4];
  nn_alloc alloc;
  nn_pool *pools[3];
  nn_alloc_init(&alloc, NULL, NULL, 0);
  for (int i = 0; i < 4; i++) {
    if (i < 3 && nn_pool_new(&alloc, 1 << i, &pools[i], NULL) != NN_OK) return 1;
    nn_gemm_init(&store[i], &alloc, i < 3 ? pools[i] : NULL);
    nn_gemm_set_backend(&store[i], NN_GEMM_NATIVE, NULL);
    gemms[i] = &store[i], good_in[i] = 1;
  }
  random_problems(900, 40);
  random_problems(60, 200);
  known_problems();
  for (int t = 0; t < 4; t++) {
    char text[100];
    snprintf(text, sizeof text, "%s: the promised sums on 1, 2, 4 threads", names[t]);
    if (nn_kernels_force(names[t])) ok(good_in[t], text);
  }
  nn_kernels_force(NULL);
  takers();
  check_openblas(gemms[1]);
  for (int i = 0; i < 4; i++) nn_gemm_clear(gemms[i]);
  for (int i = 0; i < 3; i++) nn_pool_free(pools[i]);
  ok(alloc.used == 0, "all memory is given back");
  printf("1..%d\n", count);
  return failed;
}
