/* The native matrix kernels: one table an instruction set, chosen by gemm.c.
 *
 * C (m, n) is computed in tiles of some rows times one or two vectors of columns. A tile lives in
 * registers while k runs, so every element is one chain of fused multiply-adds over k = 0, 1, 2,
 * ... from its start (0, bias[j] or C). A product cut in k continues the chain through C.
 */
#ifndef NN_CORE_GEMM_NATIVE_H
#define NN_CORE_GEMM_NATIVE_H

#include <stdint.h>

#include "core/chain.h"
#include "core/isa.h"
#include "core/gemm.h"

/* Element (i, p) of A is a[i * ars + p * acs], one of the strides is 1; b (k, n) has rows ldb
 * apart, or, `bt` set, b (n, k) is used transposed. */
typedef struct nn_product {
  int64_t m, n, k;
  const float *a;
  int64_t ars, acs;
  const float *b;
  int64_t ldb;
  int bt;
  float *c;
  int64_t ldc;
  const float *bias; /* the start where not NULL, */
  int add;           /* else C where set, else 0 */
  int relu;          /* negative results become 0 */
  nn_gemm_taker *taker; /* NULL, or what takes the result when C is packed tiles; */
  int64_t at;           /* c is element `at` of the taker's arrays */
} nn_product;

/* Memory that is read soon and asked for meanwhile: `pieces` of 64 floats, in `rows` (a power of 2)
 * rows `ld` floats apart, column of pieces by column. */
typedef struct nn_ahead {
  const float *from;
  int64_t ld, rows, pieces;
} nn_ahead;

/* The passes of a chain that gain from wide vectors (gemm_chain_rows.h): layer 0 and layer i
 * forward, from layer i to the gradient below, and for the first layer's weights the sums over the
 * rows of unit j's gradient times input from + k, in out[j * NN_CHAIN_SUMS + k]. Behind the last
 * input, where it does not fill a vector, stands the sum of the gradient alone. sums gives how many
 * inputs it took. */
#define NN_CHAIN_SUMS 64
typedef struct nn_chain_rows {
  void (*first)(const nn_chain *c);
  void (*next)(const nn_chain *c, int i);
  void (*down)(const nn_chain *c, int i, const float *d, float *dx);
  int64_t (*sums)(const nn_chain *c, const float *d, int64_t from, float *out);
} nn_chain_rows;

typedef struct nn_gemm_kernels {
  int mr, nr; /* rows and columns of a packed tile */
  /* Any product, from the operands where they lie. */
  void (*direct)(const nn_product *g);
  /* Packs rows i0 .. i0+rows-1 of A, columns p0 .. p0+k-1, as panels of mr rows: out[p][mr]. */
  void (*pack_a)(float *out, const nn_product *g, int64_t i0, int64_t rows, int64_t p0, int64_t k);
  /* Packs columns j0 .. j0+cols-1 of B, rows p0 .. p0+k-1, as panels of nr columns: out[p][nr]. */
  void (*pack_b)(float *out, const nn_product *g, int64_t j0, int64_t cols, int64_t p0, int64_t k);
  /* g over packed panels: m rows of pa, n columns of pb, k; g->a and g->b are not read.
   * `ahead` is asked for meanwhile. */
  void (*packed)(const nn_product *g, const float *pa, const float *pb, const nn_ahead *ahead);
  /* The passes of core/chain.h. Only tables for 8 columns and fewer have them. */
  void (*chain_forward)(const nn_chain *c);
  void (*chain_backward)(const nn_chain *c);
} nn_gemm_kernels;

/* The table of the CPU for a product with n columns. */
const nn_gemm_kernels *nn_gemm_table(int64_t n);

/* The product on packed panels and on the threads of the pool. Returns 0, having done nothing, when
 * the packing buffer is too small. nn_gemm_large_bytes: what it has to be. */
int nn_gemm_large(nn_gemm *g, const nn_product *p);
size_t nn_gemm_large_bytes(int64_t m, int64_t n, int64_t k, int threads);

/* The product straight from the operands, on the threads of the pool where that pays. */
void nn_gemm_small(nn_gemm *g, const nn_product *p);

/* OpenBLAS: loads it, says its name (NULL when it is not loaded), and computes, except relu. 0 when
 * the sizes do not fit its integers. */
nn_status nn_gemm_blas_open(nn_gemm *g, nn_error *e);
const char *nn_gemm_blas_name(const nn_gemm *g);
int nn_gemm_blas(nn_gemm *g, const nn_product *p);

extern const nn_gemm_kernels nn_gemm_avx512, nn_gemm_avx512y, nn_gemm_avx2, nn_gemm_neon,
    nn_gemm_portable;
extern const nn_chain_rows nn_chain_rows_avx512;

#endif
