/* Matrix products, all row-major: the one front behind which the backends live.
 *
 *   nn_gemm_nn: C (m, n) = A (m, k)  * B (k, n)     forward:  Y  = X W
 *   nn_gemm_tn: C (m, n) = A'(k, m)' * B (k, n)     weights: dW  = X' dY
 *   nn_gemm_nt: C (m, n) = A (m, k)  * B (n, k)'    inputs:  dX  = dY W'
 *
 * The native backend adds every output element over k in one fixed order, ((c + a0*b0) + a1*b1) +
 * ... with fused multiply-adds, whatever the instruction set, the blocking, the number of threads
 * or the position of the row in the batch; so AVX-512, AVX2, NEON and plain C give the same bits.
 * OpenBLAS is found at run time (dlopen) at the first large product, held to one thread and
 * called on chunks that depend on the shape only.
 */
#ifndef NN_CORE_GEMM_H
#define NN_CORE_GEMM_H

#include "core/alloc.h"
#include "core/pool.h"

typedef enum nn_gemm_backend { NN_GEMM_AUTO, NN_GEMM_NATIVE, NN_GEMM_OPENBLAS } nn_gemm_backend;

/* Activations that the epilogue of a product can apply (and whose gradient needs y alone). */
typedef enum nn_act {
  NN_ACT_LINEAR, NN_ACT_RELU, NN_ACT_SIGMOID, NN_ACT_TANH
} nn_act;

/* Everything a product needs beyond its operands. One lives in each runtime (Lua state or host). */
typedef struct nn_gemm {
  nn_alloc *alloc;         /* borrowed: packing buffers */
  nn_pool *pool;           /* borrowed, may be NULL */
  nn_gemm_backend backend; /* what was asked for */
  void *pack;              /* owned: packing buffer, grown by nn_gemm_reserve */
  size_t pack_bytes;
  int pack_threads;        /* the buffer serves this many threads */
  int turn;                /* 0 and 1 in turn: see gemm_small.c */
  void *openblas;          /* owned: the loaded library's state, NULL until needed */
} nn_gemm;

/* Takes a product's result in pieces, while each lies in the first-level cache. */
typedef struct nn_gemm_taker {
  /* `rows` pieces of `cols` elements, the first of which is element `at` of C, hold what they will:
   * every element once, on any thread of the pool. */
  void (*take)(void *arg, int64_t at, int64_t rows, int64_t cols);
  void *arg;
  const float *beside[3]; /* arrays that lie as C does and that `take` uses, the first n_beside: */
  int n_beside;           /* they are asked for early */
  int taken;              /* set when all was taken */
} nn_gemm_taker;

void nn_gemm_init(nn_gemm *g, nn_alloc *a, nn_pool *p);
void nn_gemm_clear(nn_gemm *g);
/* Asks for a backend; NN_GEMM_OPENBLAS fails when the library cannot be loaded. */
nn_status nn_gemm_set_backend(nn_gemm *g, nn_gemm_backend b, nn_error *e);
/* "native avx512", "openblas 0.3.21 (Zen)": which backend a product of this size takes. */
const char *nn_gemm_choice(nn_gemm *g, int64_t m, int64_t n, int64_t k, char *buf, size_t size);
/* Grows the packing buffer for products up to this size, so that the products do not allocate.
 * Called when a plan is built. */
nn_status nn_gemm_reserve(nn_gemm *g, int64_t m, int64_t n, int64_t k, nn_error *e);
/* After the pool was resized: grows the buffer for products reserved before. */
nn_status nn_gemm_resized(nn_gemm *g, nn_error *e);

/* beta 0: C is overwritten; beta 1: added to. lda, ldb, ldc: elements between rows (as stored).
 * bias (n) may be NULL and is used with beta 0 only: the sum starts at bias[j]. act is applied
 * last. Nothing outside the operands is read or written, so no operand needs alignment or slack.
 * C must not overlap A or B. */
void nn_gemm_nn(nn_gemm *g, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                const float *b, int64_t ldb, float beta, const float *bias, nn_act act, float *c,
                int64_t ldc);
void nn_gemm_tn(nn_gemm *g, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
/* nn_gemm_tn with beta 0 and rows of n, and `t` takes C. Gives 0, having done nothing, where taking
 * parts does not pay. */
int nn_gemm_tn_taken(nn_gemm *g, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                     const float *b, int64_t ldb, float *c, nn_gemm_taker *t);
void nn_gemm_nt(nn_gemm *g, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

#endif
