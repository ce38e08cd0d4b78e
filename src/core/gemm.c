/* The front of all matrix products: which backend, and the epilogue. */
#include "core/gemm.h"

#include <stdio.h>
#include <string.h>

#include "core/gemm_native.h"
#include "core/isa.h"

#define TINY (64 * 1024)    /* multiplications: below, a product is one call of a kernel */
#define LARGE (1536 * 1024) /* from here on operands are packed */

static const nn_gemm_kernels *const tables[NN_ISA_COUNT] = NN_ISA_TABLES(nn_gemm);

void nn_gemm_init(nn_gemm *g, nn_alloc *a, nn_pool *p) {
  memset(g, 0, sizeof *g);
  g->alloc = a;
  g->pool = p;
}

void nn_gemm_clear(nn_gemm *g) {
  nn_mem_free(g->alloc, g->pack);
  nn_mem_free(g->alloc, g->openblas);
  g->pack = g->openblas = NULL;
  g->pack_bytes = 0;
}

nn_status nn_gemm_set_backend(nn_gemm *g, nn_gemm_backend b, nn_error *e) {
  if (b == NN_GEMM_OPENBLAS) {
    nn_status s = nn_gemm_blas_open(g, e);
    if (s != NN_OK) return s;
  }
  g->backend = b;
  return NN_OK;
}

const nn_gemm_kernels *nn_gemm_table(int64_t n) {
  int isa = nn_isa_get();
#if defined(__x86_64__)
  if (isa == NN_ISA_AVX512 && n <= 8) return &nn_gemm_avx512y;
#endif
  (void)n;
  return tables[isa];
}

/* Whether packing pays: it costs about as much as some 16 rows of a product. */
static int is_large(int64_t m, int64_t n, int64_t k) {
  return m >= 24 && n >= 32 && k >= 24 && m * n * k >= LARGE;
}

static nn_status grow(nn_gemm *g, size_t bytes, nn_error *e) {
  if (bytes <= g->pack_bytes) return NN_OK;
  void *p = nn_mem_new(g->alloc, bytes);
  if (!p) return nn_fail(e, NN_ERR_MEMORY, "matrix product: no memory for %zu bytes", bytes);
  nn_mem_free(g->alloc, g->pack);
  g->pack = p;
  g->pack_bytes = bytes;
  return NN_OK;
}

nn_status nn_gemm_reserve(nn_gemm *g, int64_t m, int64_t n, int64_t k, nn_error *e) {
  if (!is_large(m, n, k)) return NN_OK;
  int threads = nn_pool_threads(g->pool);
  if (threads > g->pack_threads) g->pack_threads = threads;
  return grow(g, nn_gemm_large_bytes(m, n, k, g->pack_threads), e);
}

nn_status nn_gemm_resized(nn_gemm *g, nn_error *e) {
  int threads = nn_pool_threads(g->pool), served = g->pack_threads;
  if (g->pack_bytes == 0 || threads <= served) return NN_OK;
  size_t factor = (size_t)((threads + served - 1) / served);
  nn_status s = grow(g, nn_size_mul(g->pack_bytes, factor), e);
  if (s == NN_OK) g->pack_threads = threads;
  return s;
}

/* OpenBLAS takes large products when it was asked for. "auto" is the native backend at every
 * size: it is at least as fast within 5 % (bench/kernels.c, AMD EPYC, November 2026), its bits
 * are the same on every machine, and nothing has to be loaded. */
static int is_blas(const nn_gemm *g, int64_t m, int64_t n, int64_t k) {
  return g->backend == NN_GEMM_OPENBLAS && g->openblas && is_large(m, n, k);
}

const char *nn_gemm_choice(nn_gemm *g, int64_t m, int64_t n, int64_t k, char *buf, size_t size) {
  if (is_blas(g, m, n, k))
    snprintf(buf, size, "openblas %s", nn_gemm_blas_name(g));
  else
    snprintf(buf, size, "native %s", nn_kernels_get()->name);
  return buf;
}

static void run_native(nn_gemm *g, const nn_product *p) {
  if (!is_large(p->m, p->n, p->k) || !nn_gemm_large(g, p))
    nn_gemm_small(g, p);
}

/* Sigmoid, tanh (and relu after OpenBLAS) in a second pass over C, which is still in cache. */
static void activate(nn_act act, const nn_product *p) {
  const nn_kernels *k = nn_kernels_get();
  nn_map1 f = act == NN_ACT_RELU ? k->relu : act == NN_ACT_SIGMOID ? k->sigmoid : k->tanh;
  if (p->ldc == p->n)
    f(p->c, p->c, (size_t)(p->m * p->n));
  else
    for (int64_t i = 0; i < p->m; i++) f(p->c + i * p->ldc, p->c + i * p->ldc, (size_t)p->n);
}

static void run(nn_gemm *g, const nn_product *p, nn_act act) {
  if (p->m <= 0 || p->n <= 0) return;
  if (p->m * p->n * p->k < TINY) {
    nn_gemm_table(p->n)->direct(p);
    if (act == NN_ACT_SIGMOID || act == NN_ACT_TANH) activate(act, p);
    return;
  }
  int blas = is_blas(g, p->m, p->n, p->k) && nn_gemm_blas(g, p);
  if (!blas) run_native(g, p);
  if (act == NN_ACT_SIGMOID || act == NN_ACT_TANH || (act == NN_ACT_RELU && blas))
    activate(act, p);
}

void nn_gemm_nn(nn_gemm *g, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                const float *b, int64_t ldb, float beta, const float *bias, nn_act act, float *c,
                int64_t ldc) {
  nn_product p = {m, n, k, a, lda, 1, b, ldb, 0, c, ldc, beta == 0 ? bias : NULL, beta != 0,
                  act == NN_ACT_RELU, NULL, 0};
  run(g, &p, act);
}

void nn_gemm_tn(nn_gemm *g, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                const float *b, int64_t ldb, float beta, float *c, int64_t ldc) {
  nn_product p = {m, n, k, a, 1, lda, b, ldb, 0, c, ldc, NULL, beta != 0, 0, NULL, 0};
  run(g, &p, NN_ACT_LINEAR);
}

int nn_gemm_tn_taken(nn_gemm *g, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                     const float *b, int64_t ldb, float *c, nn_gemm_taker *t) {
  nn_product p = {m, n, k, a, 1, lda, b, ldb, 0, c, n, NULL, 0, 0, t, 0};
  if (!is_large(m, n, k) || is_blas(g, m, n, k)) return 0;
  return t->taken = nn_gemm_large(g, &p);
}

void nn_gemm_nt(nn_gemm *g, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                const float *b, int64_t ldb, float beta, float *c, int64_t ldc) {
  nn_product p = {m, n, k, a, lda, 1, b, ldb, 1, c, ldc, NULL, beta != 0, 0, NULL, 0};
  if (k == 1 && ldb == 1) p.bt = 0, p.ldb = n; /* a column without gaps is a row */
  run(g, &p, NN_ACT_LINEAR);
}
