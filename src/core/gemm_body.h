/* The native matrix kernels, compiled once an instruction set (see core/vec.h) as NN_TABLE.
 * NN_R1, NN_R2: rows of a tile of one and of two vectors (at most 14); NN_R2 is that of packed tiles.
 */
#include "core/gemm_tile.h"

/* A block of rows times the columns of one panel, for each number of rows and kind of panel. */
typedef struct block {
  const nn_product *g;
  int64_t k;
  const float *a;
  int64_t ars, acs;
  const float *b;
  int64_t ldb;
  float *c;
  const float *bias;
  size_t last;
} block;

#define TILE(R, NV, TAIL, ARS, ACS)                                                              \
  tile(R, NV, TAIL, t->g, t->k, t->a, ARS, ACS, t->b, t->ldb, t->c, t->bias, t->last)
#define ROW_CASE(R, NV, TAIL)                                                                    \
  case R:                                                                                        \
    if (R <= NN_R##NV) {                                                                         \
      if (t->acs == 1)                                                                           \
        TILE((R <= NN_R##NV ? R : 1), NV, TAIL, t->ars, 1);                                      \
      else                                                                                       \
        TILE((R <= NN_R##NV ? R : 1), NV, TAIL, 1, t->acs);                                      \
    }                                                                                            \
    break;
#define ROW_BLOCK(name, NV, TAIL)                                                                \
  static void name(const block *t, int64_t rows) {                                               \
    switch (rows) {                                                                              \
      ROW_CASE(1, NV, TAIL) ROW_CASE(2, NV, TAIL) ROW_CASE(3, NV, TAIL) ROW_CASE(4, NV, TAIL)    \
      ROW_CASE(5, NV, TAIL) ROW_CASE(6, NV, TAIL) ROW_CASE(7, NV, TAIL) ROW_CASE(8, NV, TAIL)    \
      ROW_CASE(9, NV, TAIL) ROW_CASE(10, NV, TAIL) ROW_CASE(11, NV, TAIL)                        \
      ROW_CASE(12, NV, TAIL) ROW_CASE(13, NV, TAIL) ROW_CASE(14, NV, TAIL)                       \
    }                                                                                            \
  }
ROW_BLOCK(block_1, 1, 0)
ROW_BLOCK(block_1_tail, 1, 1)
ROW_BLOCK(block_2, 2, 0)
ROW_BLOCK(block_2_tail, 2, 1)

/* All rows of one panel of columns: `wide` for two vectors, `last` lanes in the last one. The rows
 * are split as evenly as they go, for short blocks leave the multipliers waiting. */
static void panel(block *t, int64_t m, int wide, size_t last) {
  const int64_t most = wide ? NN_R2 : NN_R1;
  int64_t blocks = (m + most - 1) / most;
  t->last = last;
  for (; blocks > 0; blocks--) {
    int64_t rows = (m + blocks - 1) / blocks;
    if (wide)
      (last == VW ? block_2 : block_2_tail)(t, rows);
    else
      (last == VW ? block_1 : block_1_tail)(t, rows);
    t->a += rows * t->ars, t->c += rows * t->g->ldc;
    m -= rows;
  }
}

static void direct_rows(const nn_product *g) {
  for (int64_t j = 0; j < g->n;) {
    int64_t left = g->n - j;
    int wide = left > VW;
    int64_t cols = wide ? 2 * VW : VW;
    block t = {g, g->k, g->a, g->ars, g->acs, g->b + j, g->ldb, g->c + j,
               g->bias ? g->bias + j : NULL, 0};
    if (cols > left) cols = left;
    panel(&t, g->m, wide, (size_t)(cols - (wide ? VW : 0)));
    j += cols;
  }
}

/* B transposed, a panel and KT rows at a time on the stack. */
#define KT 128
static void direct_transposed(const nn_product *g) {
  float pb[KT * 2 * VW];
  for (int64_t j = 0; j < g->n; j += 2 * VW) {
    int64_t cols = g->n - j < 2 * VW ? g->n - j : 2 * VW;
    int wide = cols > VW;
    int64_t width = wide ? 2 * VW : VW;
    for (int64_t p = 0; p == 0 || p < g->k; p += KT) {
      int64_t kt = g->k - p < KT ? g->k - p : KT;
      nn_product h = *g;
      h.add = g->add || p > 0;
      h.relu = g->relu && p + kt == g->k;
      for (int64_t q = 0; q < kt; q++)
        for (int64_t i = 0; i < cols; i++) pb[q * width + i] = g->b[(j + i) * g->ldb + p + q];
      block t = {&h, kt, g->a + p * g->acs, g->ars, g->acs, pb, width, g->c + j,
                 g->bias && p == 0 ? g->bias + j : NULL, 0};
      panel(&t, g->m, wide, (size_t)(cols - (wide ? VW : 0)));
    }
  }
}

static void direct(const nn_product *g) {
  if (g->bt)
    direct_transposed(g);
  else
    direct_rows(g);
}

const nn_gemm_kernels NN_TABLE = {NN_R2, 2 * VW, direct, NULL, NULL, NULL};
