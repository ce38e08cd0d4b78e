/* Native products straight from the operands. Those big enough to share are cut along the longer
 * side of C, into pieces of some SHARE multiplications each.
 *
 * The pieces of every second product are dealt half a round on. A thread that always took the left
 * half of matrices 2^n wide would use half of the sets of its cache, and a small network's weights
 * would not stay there: a batch of one takes half the time so (15 against 29 microseconds at best
 * for 784-512-512-10 on two cores with 2 MB of second-level cache each, November 2026).
 */
#include "core/gemm_native.h"

#define SHARE (64 * 1024)
#define FEW 4 /* rows, or steps of k: a product then waits for B or C, and threads pay earlier */

typedef struct small {
  const nn_product *p;
  const nn_gemm_kernels *t;
  int64_t rows, cols; /* of a chunk; one of them is all */
  int64_t turn;       /* pieces by which the work is dealt on */
  int64_t chunks;
} small;

static void compute_chunk(void *arg, int64_t i) {
  const small *s = arg;
  nn_product h = *s->p;
  i = i + s->turn < s->chunks ? i + s->turn : i + s->turn - s->chunks;
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
  const int waits = p->m <= FEW || p->k <= FEW;
  if (p->m * p->n * p->k < (waits ? 2 : 8) * SHARE || nn_pool_threads(g->pool) == 1) {
    t->direct(p);
    return;
  }
  small s = {.p = p, .t = t, .rows = p->m, .cols = p->n};
  if (p->m > p->n)
    s.rows = piece(p->m, p->n * p->k, t->mr * 2);
  else
    s.cols = piece(p->n, p->m * p->k, t->nr * (p->m < 7 ? 4 : 1));
  s.chunks = s.rows < p->m ? (p->m + s.rows - 1) / s.rows : (p->n + s.cols - 1) / s.cols;
  s.turn = (g->turn ^= 1) ? s.chunks / 2 : 0;
  nn_pool_run(g->pool, compute_chunk, &s, s.chunks);
}
