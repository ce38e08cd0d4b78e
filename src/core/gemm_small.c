/* Native products straight from the operands. Those big enough to share are cut along the longer
 * side of C, into pieces of some SHARE multiplications each.
 */
#include "core/gemm_native.h"

#define SHARE (64 * 1024)
#define FEW_ROWS 4 /* up to here a product waits for B from memory: threads pay earlier */

typedef struct small {
  const nn_product *p;
  const nn_gemm_kernels *t;
  int64_t rows, cols; /* of a chunk; one of them is all */
} small;

static void compute_chunk(void *arg, int64_t i) {
  const small *s = arg;
  nn_product h = *s->p;
  int64_t i0 = s->rows < h.m ? i * s->rows : 0, j0 = s->cols < h.n ? i * s->cols : 0;
  h.a += i0 * h.ars;
  h.b += h.bt ? j0 * h.ldb : j0;
  h.c += i0 * h.ldc + j0;
  if (h.bias) h.bias += j0;
  h.m = h.m - i0 < s->rows ? h.m - i0 : s->rows;
  h.n = h.n - j0 < s->cols ? h.n - j0 : s->cols;
  s->t->direct(&h);
}

static int64_t piece(int64_t size, int64_t cost, int64_t unit) {
  int64_t units = SHARE / cost / unit;
  return (units < 1 ? 1 : units) * unit < size ? (units < 1 ? 1 : units) * unit : size;
}

void nn_gemm_small(nn_gemm *g, const nn_product *p) {
  const nn_gemm_kernels *t = nn_gemm_table(p->n);
  if (p->m * p->n * p->k < (p->m <= FEW_ROWS ? 2 : 8) * SHARE || nn_pool_threads(g->pool) == 1) {
    t->direct(p);
    return;
  }
  small s = {p, t, p->m, p->n};
  if (p->m > p->n)
    s.rows = piece(p->m, p->n * p->k, t->mr * 2);
  else
    s.cols = piece(p->n, p->m * p->k, t->nr * (p->m < 7 ? 4 : 1));
  int64_t chunks = s.rows < p->m ? (p->m + s.rows - 1) / s.rows : (p->n + s.cols - 1) / s.cols;
  nn_pool_run(g->pool, compute_chunk, &s, chunks);
}
