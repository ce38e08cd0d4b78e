/* The front of all matrix products: which backend, and the epilogue. */
#include "core/gemm.h"

#include <stdio.h>
#include <string.h>

#include "core/gemm_native.h"
#include "core/isa.h"

static const nn_gemm_kernels *const tables[NN_ISA_COUNT] = {
#if defined(__x86_64__)
    [NN_ISA_AVX512] = &nn_gemm_avx512,
    [NN_ISA_AVX2] = &nn_gemm_avx2,
#elif defined(__aarch64__)
    [NN_ISA_NEON] = &nn_gemm_neon,
#endif
    [NN_ISA_PORTABLE] = &nn_gemm_portable,
};

void nn_gemm_init(nn_gemm *g, nn_alloc *a, nn_pool *p) {
  memset(g, 0, sizeof *g);
  g->alloc = a;
  g->pool = p;
}

void nn_gemm_clear(nn_gemm *g) {
  nn_mem_free(g->alloc, g->pack);
  g->pack = NULL;
  g->pack_bytes = 0;
}

nn_status nn_gemm_set_backend(nn_gemm *g, nn_gemm_backend b, nn_error *e) {
  (void)e;
  g->backend = b;
  return NN_OK;
}

const char *nn_gemm_choice(nn_gemm *g, int64_t m, int64_t n, int64_t k, char *buf, size_t size) {
  (void)g, (void)m, (void)n, (void)k;
  snprintf(buf, size, "native %s", nn_kernels_get()->name);
  return buf;
}

nn_status nn_gemm_reserve(nn_gemm *g, int64_t m, int64_t n, int64_t k, nn_error *e) {
  (void)g, (void)m, (void)n, (void)k, (void)e;
  return NN_OK;
}

static void run_native(nn_gemm *g, const nn_product *p) {
  int isa = nn_isa_get();
  (void)g;
#if defined(__x86_64__)
  if (isa == NN_ISA_AVX512 && p->n <= 8) {
    nn_gemm_avx512y.direct(p);
    return;
  }
#endif
  tables[isa]->direct(p);
}

/* Sigmoid and tanh in a second pass over C, which is still in cache. */
static void activate(nn_act act, float *c, int64_t m, int64_t n, int64_t ldc) {
  const nn_kernels *k = nn_kernels_get();
  nn_map1 f = act == NN_ACT_SIGMOID ? k->sigmoid : k->tanh;
  if (ldc == n) {
    f(c, c, (size_t)(m * n));
    return;
  }
  for (int64_t i = 0; i < m; i++) f(c + i * ldc, c + i * ldc, (size_t)n);
}

void nn_gemm_nn(nn_gemm *g, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                const float *b, int64_t ldb, float beta, const float *bias, nn_act act, float *c,
                int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  nn_product p = {m, n, k, a, lda, 1, b, ldb, 0, c, ldc, beta == 0 ? bias : NULL, beta != 0,
                  act == NN_ACT_RELU};
  run_native(g, &p);
  if (act == NN_ACT_SIGMOID || act == NN_ACT_TANH) activate(act, c, m, n, ldc);
}

void nn_gemm_tn(nn_gemm *g, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                const float *b, int64_t ldb, float beta, float *c, int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  nn_product p = {m, n, k, a, 1, lda, b, ldb, 0, c, ldc, NULL, beta != 0, 0};
  run_native(g, &p);
}

void nn_gemm_nt(nn_gemm *g, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                const float *b, int64_t ldb, float beta, float *c, int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  nn_product p = {m, n, k, a, lda, 1, b, ldb, 1, c, ldc, NULL, beta != 0, 0};
  run_native(g, &p);
}
