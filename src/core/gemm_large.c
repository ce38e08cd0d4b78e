/* Large native products: packed, blocked for the caches, on all threads.
 *
 * Rows come in even outer blocks of at most MB. For each, first A is packed (once, shared by all),
 * then chunks of C are computed: a stripe of NS columns by all or half of the rows. A chunk walks
 * over k in blocks of at most KC; it packs its stripe of B into a buffer that belongs to
 * whichever thread runs it (a slot), so it stays in that core's cache, and continues the sums in
 * C. How C is cut depends on the shape only, and no cut changes a sum.
 */
#include <stdatomic.h>

#include "core/gemm_native.h"

#define KC 256  /* a panel of B of 32 columns fills the first-level cache */
#define NS 64   /* columns of a stripe: KC * NS floats are 64 KB of the second level */
#define MB 1344 /* the most rows packed at once: a multiple of 4, 6, 12 and 14 */
#define MAX_SLOTS 256

typedef struct large {
  const nn_product *p;
  const nn_gemm_kernels *t;
  float *a;     /* packed rows i0 .. i0+rows-1: all of k, block of k by block of k */
  float *slots; /* n_slots buffers of slot_size floats */
  size_t slot_size;
  int n_slots;
  atomic_uchar taken[MAX_SLOTS];
  int64_t i0, rows, padded; /* padded: rows, up to a multiple of mr */
  int64_t kc;               /* size of the blocks of k */
  int64_t group;            /* rows of a chunk, a multiple of mr */
  int64_t stripes;
} large;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }

/* n in parts of even size, at most `most`. */
static int64_t even_part(int64_t n, int64_t most) { return ceil_div(n, ceil_div(n, most)); }

static int64_t k_block(int64_t k) { return even_part(k, KC); }

static size_t a_floats(int64_t m, int64_t k) {
  return (size_t)(min_of(m, MB) + 16) * (size_t)k + 64;
}
static size_t slot_floats(int64_t k) { return (size_t)k_block(k) * NS + 64; }

size_t nn_gemm_large_bytes(int64_t m, int64_t n, int64_t k, int threads) {
  (void)n;
  return (a_floats(m, k) + slot_floats(k) * (size_t)threads) * sizeof(float);
}

/* Chunk i packs one panel of mr rows, all of k. */
static void pack_chunk(void *arg, int64_t i) {
  large *s = arg;
  int64_t mr = s->t->mr, k = s->p->k, rows = min_of(mr, s->rows - i * mr);
  for (int64_t q = 0, p = 0; p < k; q++, p += s->kc) {
    int64_t kc = min_of(s->kc, k - p);
    s->t->pack_a(s->a + p * s->padded + i * mr * kc, s->p, s->i0 + i * mr, rows, p, kc);
  }
}

static int take_slot(large *s) {
  for (int i = 0;; i = i + 1 < s->n_slots ? i + 1 : 0)
    if (!atomic_exchange_explicit(&s->taken[i], 1, memory_order_acquire)) return i;
}

/* The block of B after that of columns j0 .. and rows q ..: it comes from memory, so it is asked
 * for while this one is multiplied (5 % of products with 16 MB of weights). */
static nn_ahead next_block(const large *s, int64_t j0, int64_t q) {
  const nn_product *p = s->p;
  if (q + s->kc < p->k) q += s->kc;
  else q = 0, j0 += NS;
  if (j0 >= p->n) return (nn_ahead){p->b, 0, 1, 0};
  int64_t k = min_of(s->kc, p->k - q);
  if (p->bt) return (nn_ahead){p->b + j0 * p->ldb + q, p->ldb, NS, NS * ceil_div(k, NS)};
  return (nn_ahead){p->b + q * p->ldb + j0, p->ldb, KC, k};
}

static void compute_chunk(void *arg, int64_t i) {
  large *s = arg;
  const nn_product *p = s->p;
  int64_t i0 = i / s->stripes * s->group, j0 = i % s->stripes * NS;
  int slot = take_slot(s);
  float *pb = s->slots + (size_t)slot * s->slot_size;
  nn_product h = *p;
  h.m = min_of(s->group, s->rows - i0), h.n = min_of(NS, p->n - j0);
  h.at = (s->i0 + i0) * p->ldc + j0;
  h.c = p->c + h.at;
  h.bias = p->bias ? p->bias + j0 : NULL;
  for (int64_t q = 0; q < p->k; q += s->kc) {
    h.k = min_of(s->kc, p->k - q);
    h.relu = p->relu && q + h.k == p->k;
    h.taker = q + h.k == p->k ? p->taker : NULL;
    s->t->pack_b(pb, p, j0, h.n, q, h.k);
    nn_ahead next = next_block(s, j0, q);
    s->t->packed(&h, s->a + q * s->padded + i0 * h.k, pb, &next);
    h.bias = NULL, h.add = 1;
  }
  atomic_store_explicit(&s->taken[slot], 0, memory_order_release);
}

int nn_gemm_large(nn_gemm *g, const nn_product *p) {
  int threads = nn_pool_threads(g->pool);
  if (g->pack_bytes < nn_gemm_large_bytes(p->m, p->n, p->k, threads) || p->k == 0) return 0;
  large s = {.p = p, .t = nn_gemm_table(p->n), .n_slots = threads};
  s.a = g->pack;
  s.slots = s.a + a_floats(p->m, p->k);
  s.slot_size = slot_floats(p->k);
  s.kc = k_block(p->k);
  s.stripes = ceil_div(p->n, NS);
  const int64_t most = ceil_div(even_part(p->m, MB), s.t->mr) * s.t->mr;
  for (s.i0 = 0; s.i0 < p->m; s.i0 += most) {
    s.rows = min_of(most, p->m - s.i0);
    int64_t panels = ceil_div(s.rows, s.t->mr);
    s.padded = panels * s.t->mr;
    int64_t groups =
        s.stripes >= 8 ? ceil_div(s.rows, 512) : min_of(panels, ceil_div(16, s.stripes));
    s.group = ceil_div(panels, groups) * s.t->mr;
    nn_pool_run(g->pool, pack_chunk, &s, panels);
    nn_pool_run(g->pool, compute_chunk, &s, ceil_div(s.rows, s.group) * s.stripes);
  }
  return 1;
}
