/* The native matrix kernels, compiled once an instruction set (see core/vec.h) as NN_TABLE.
 * NN_R1, NN_R2, NN_R4, NN_R8: the most rows of a tile of 1, 2, 4, 8 vectors of columns (14 at
 * most); packed tiles have NN_R2 rows.
 */
#include "core/vec_math.h"
#include "core/gemm_tile.h"
#include "core/gemm_pack.h"
#if VW == 8
#include "core/gemm_narrow.h"
#include "core/gemm_thin.h"
#endif
#if VW <= 8
#include "core/gemm_chain.h"
#else
#include "core/gemm_chain_rows.h"
#endif

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
  tile(R, NV, TAIL, t->g, t->k, t->a, ARS, ACS, t->b, t->ldb, t->c, t->bias, t->last, NULL)
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

ROW_BLOCK(block_4, 4, 0)
ROW_BLOCK(block_8, 8, 0)

/* All rows of one panel of columns: NV vectors, `last` lanes in the last one. The rows are split as
 * evenly as they go, for short blocks leave the multipliers waiting. */
static void panel(block *t, int64_t m, int nv, size_t last) {
  static const int most_rows[] = {0, NN_R1, NN_R2, 0, NN_R4, 0, 0, 0, NN_R8};
  const int64_t most = most_rows[nv];
  int64_t blocks = (m + most - 1) / most;
  t->last = last;
  for (; blocks > 0; blocks--) {
    int64_t rows = (m + blocks - 1) / blocks;
    switch (nv) {
      case 8: block_8(t, rows); break;
      case 4: block_4(t, rows); break;
      case 2: (last == VW ? block_2 : block_2_tail)(t, rows); break;
      default: (last == VW ? block_1 : block_1_tail)(t, rows);
    }
    t->a += rows * t->ars, t->c += rows * t->g->ldc;
    m -= rows;
  }
}

/* Few rows take wide panels: enough chains in flight, and long pieces of B from memory. */
static int panel_width(int64_t m, int64_t left) {
  if (m <= NN_R8 && left >= 8 * VW) return 8;
  if (m <= NN_R4 && left >= 4 * VW) return 4;
  return left > VW ? 2 : 1;
}

static void direct_rows(const nn_product *g) {
  for (int64_t j = 0; j < g->n;) {
    int64_t left = g->n - j;
    int nv = panel_width(g->m, left);
    int64_t cols = left < nv * VW ? left : nv * VW;
    block t = {g, g->k, g->a, g->ars, g->acs, g->b + j, g->ldb, g->c + j,
               g->bias ? g->bias + j : NULL, 0};
    panel(&t, g->m, nv, (size_t)(cols - (nv - 1) * VW));
    j += cols;
  }
}

/* B transposed, a panel and KT rows at a time on the stack. */
#define KT 128
static void direct_transposed(const nn_product *g) {
  float pb[KT * 2 * VW];
  for (int64_t j = 0; j < g->n; j += 2 * VW) {
    int64_t cols = g->n - j < 2 * VW ? g->n - j : 2 * VW;
    int nv = cols > VW ? 2 : 1;
    for (int64_t p = 0; p == 0 || p < g->k; p += KT) {
      int64_t kt = g->k - p < KT ? g->k - p : KT;
      nn_product h = *g;
      h.add = g->add || p > 0;
      h.relu = g->relu && p + kt == g->k;
      if (nv == 2)
        pack_turned(pb, g->b + j * g->ldb + p, g->ldb, cols, kt, 2 * VW);
      else
        pack_turned(pb, g->b + j * g->ldb + p, g->ldb, cols, kt, VW);
      block t = {&h, kt, g->a + p * g->acs, g->ars, g->acs, pb, nv * VW, g->c + j,
                 g->bias && p == 0 ? g->bias + j : NULL, 0};
      panel(&t, g->m, nv, (size_t)(cols - (nv - 1) * VW));
    }
  }
}

static void direct(const nn_product *g) {
#if VW == 8
  if (g->n < VW && g->k > 0 && g->k <= 8) {
    thin(g);
    return;
  }
  if (g->n <= VW && g->k > 0 && g->ars == 1 && g->m >= 16) {
    narrow(g);
    return;
  }
#endif
  if (g->bt)
    direct_transposed(g);
  else
    direct_rows(g);
}

/* The inner loop of large products, its strides known. */
static void full_tile(const nn_product *g, const float *pa, const float *pb, float *c,
                      const float *bias, const asking *asks) {
  tile(NN_R2, 2, 0, g, g->k, pa, 1, NN_R2, pb, 2 * VW, c, bias, VW, asks);
}

static void edge_tile(const nn_product *g, const float *pa, const float *pb, float *c,
                      const float *bias, int64_t rows, int64_t cols) {
  block t = {g, g->k, pa, 1, NN_R2, pb, 2 * VW, c, bias, 0};
  int nv = cols > VW ? 2 : 1;
  panel(&t, rows, nv, (size_t)(cols - (nv - 1) * VW));
}

static void also_ask(asking *s, const float *p, int64_t width) {
  s->like_c[s->n] = p, s->width[s->n++] = width;
}

/* The tile that begins at row i and column j of g is next. */
static void look_ahead(asking *s, const nn_product *g, int64_t i, int64_t j) {
  const nn_gemm_taker *t = g->taker;
  s->n = 0;
  s->rows = i < g->m ? (g->m - i < NN_R2 ? g->m - i : NN_R2) : 0;
  if (!t || j + 2 * VW < g->n) {
    also_ask(s, g->c + i * g->ldc + j, 2 * VW);
  } else {
    also_ask(s, g->c + i * g->ldc, g->n);
    for (int x = 0; x < t->n_beside; x++) also_ask(s, t->beside[x] + g->at + i * g->ldc, g->n);
  }
}

static void packed(const nn_product *g, const float *pa, const float *pb, const nn_ahead *ahead) {
  const int64_t pieces = (g->k + ASK_EACH - 1) / ASK_EACH;
  asking asks = {.b = ahead, .ldc = g->ldc, .each = (NN_R2 + pieces - 1) / pieces};
  for (int64_t j = 0; j < g->n; j += 2 * VW, pb += 2 * VW * g->k) {
    int64_t cols = g->n - j < 2 * VW ? g->n - j : 2 * VW;
    const float *a = pa, *bias = g->bias ? g->bias + j : NULL;
    for (int64_t i = 0; i < g->m; i += NN_R2, a += NN_R2 * g->k) {
      int64_t rows = g->m - i < NN_R2 ? g->m - i : NN_R2;
      float *c = g->c + i * g->ldc + j;
      look_ahead(&asks, g, i + NN_R2, j);
      if (rows == NN_R2 && cols == 2 * VW) full_tile(g, a, pb, c, bias, &asks);
      else edge_tile(g, a, pb, c, bias, rows, cols);
      asks.piece += pieces;
      if (g->taker && j + cols == g->n)
        g->taker->take(g->taker->arg, g->at + i * g->ldc, rows, g->n);
    }
  }
}

const nn_gemm_kernels NN_TABLE = {
    .mr = NN_R2, .nr = 2 * VW, .direct = direct, .pack_a = pack_a, .pack_b = pack_b,
    .packed = packed,
#if VW <= 8
    .chain_forward = chain_forward, .chain_backward = chain_backward,
#endif
};
