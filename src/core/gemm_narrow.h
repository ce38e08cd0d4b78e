/* Products with at most 8 columns of an A that lies by columns (X' dY), 8 rows of C in each
 * vector: no lane is idle however few columns there are. At the end squares of 8 x 8 sums are
 * turned into rows of C. (An A that lies by rows would have to be turned first, which costs more
 * than it gains.) The columns of A may also lie anywhere: then pointers say where.
 */

/* The rows of C that may spill. None when C is added to, for the excess would be read. */
static int64_t loose_rows(const nn_product *g) {
  return g->add || g->ldc != g->n ? 0 : spilling_rows(g->m, g->n);
}

NN_INLINE void store_first(float *p, vf a, size_t n) {
  if (n == VW)
    v_store(p, a);
  else
    v_store_n(p, a, n);
}

/* V vectors of rows, N columns; the last vector has `last` rows (1 .. VW). a: element (i, p) at
 * a[p * acs + i], or at a_rows[p][from + i]; b: element (p, j) at b[p * brs + j * bcs].
 * `loose`: see loose_rows, from c on. */
typedef struct narrow_block {
  const float *a, *b;
  const float *const *a_rows;
  float *ones; /* with a_rows: gets the row of C that a row of ones behind A would give, or NULL */
  int64_t from;
  int64_t acs, brs, bcs, k, ldc, loose;
  float *c;
  const float *bias;
  int add, relu;
  size_t last;
} narrow_block;

NN_INLINE void narrow_tile(const int N, const int V, const int apart, const narrow_block *t) {
  vf acc[8][5], r[8], av[5];
  const float *a = t->a, *b = t->b;
  NN_UNROLL
  for (int v = 0; v < V; v++) {
    if (t->add) {
      const float *c = t->c + v * VW * t->ldc;
      for (size_t i = 0; i < VW; i++)
        r[i] = v == V - 1 && i >= t->last ? v_zero()
               : N == VW                 ? v_load(c + (int64_t)i * t->ldc)
                                         : v_load_n(c + (int64_t)i * t->ldc, (size_t)N);
      v_transpose(r);
    }
    NN_UNROLL
    for (int j = 0; j < N; j++)
      acc[j][v] = t->add ? r[j] : t->bias ? v_set(t->bias[j]) : v_zero();
  }
  for (int64_t p = 0; p < t->k; p++, b += t->brs) {
    if (apart)
      a = t->a_rows[p] + t->from;
    else if (p)
      a += t->acs;
    NN_UNROLL
    for (int v = 0; v < V; v++)
      av[v] = v < V - 1 || (apart && t->last == VW) ? v_load(a + v * VW)
              : apart ? v_load_fill(a + v * VW, t->last, 1)
                      : v_load_n(a + v * VW, t->last); /* last may be VW */
    NN_UNROLL
    for (int j = 0; j < N; j++) {
      vf bv = v_set(b[j * t->bcs]);
      NN_UNROLL
      for (int v = 0; v < V; v++) acc[j][v] = v_fma(av[v], bv, acc[j][v]);
    }
  }
  NN_UNROLL
  for (int v = 0; v < V; v++) {
    float *c = t->c + v * VW * t->ldc;
    int64_t rows = v < V - 1 ? VW : (int64_t)t->last, loose = t->loose - v * VW;
    NN_UNROLL
    for (int j = 0; j < 8; j++)
      r[j] = j >= N ? v_zero() : t->relu ? v_max(v_zero(), acc[j][v]) : acc[j][v];
    if (!apart && N == 1 && t->ldc == 1) {
      if (rows == VW)
        v_store(c, r[0]);
      else
        v_store_n(c, r[0], (size_t)rows);
      continue;
    }
    v_transpose(r);
    NN_UNROLL
    for (int i = 0; i < 8; i++)
      if (i < rows && (i < loose || N == VW))
        v_store(c + i * t->ldc, r[i]);
      else if (i < rows)
        v_store_n(c + i * t->ldc, r[i], (size_t)N);
      else if (apart && i == rows && t->ones)
        store_first(t->ones, r[i], (size_t)N);
  }
}

#define NARROW_MOST(N) (NN_NARROW / (N) > 5 ? 5 : NN_NARROW / (N)) /* vectors of rows at once */
#define NARROW_TILE(N, V)                                                                        \
  do {                                                                                           \
    if (t->a_rows)                                                                               \
      narrow_tile(N, V, 1, t);                                                                   \
    else                                                                                         \
      narrow_tile(N, V, 0, t);                                                                   \
  } while (0)
#define NARROW_CASE(N)                                                                           \
  case N:                                                                                        \
    if (vectors == NARROW_MOST(N))                                                               \
      NARROW_TILE(N, NARROW_MOST(N));                                                            \
    else if (vectors == 4 && NARROW_MOST(N) > 4)                                                 \
      NARROW_TILE(N, (NARROW_MOST(N) > 4 ? 4 : 1));                                              \
    else if (vectors == 2 && NARROW_MOST(N) > 2)                                                 \
      NARROW_TILE(N, (NARROW_MOST(N) > 2 ? 2 : 1));                                              \
    else                                                                                         \
      NARROW_TILE(N, 1);                                                                         \
    break;

static void narrow_tiles(const narrow_block *t, int64_t n, int64_t vectors) {
  switch (n) {
    NARROW_CASE(1) NARROW_CASE(2) NARROW_CASE(3) NARROW_CASE(4)
    NARROW_CASE(5) NARROW_CASE(6) NARROW_CASE(7) NARROW_CASE(8)
  }
}

/* All `rows` rows of a block whose A lies by columns. */
static void narrow_rows(narrow_block t, int64_t n, int64_t rows) {
  const int64_t most = NARROW_MOST(n);
  while (rows > 0) {
    int64_t vectors = (rows + VW - 1) / VW;
    vectors = vectors >= most                ? most
              : vectors >= 4 && most > 4 ? 4
              : vectors >= 2 && most > 2 ? 2
                                         : 1;
    int64_t taken = vectors * VW < rows ? vectors * VW : rows;
    t.last = (size_t)(taken - (vectors - 1) * VW);
    narrow_tiles(&t, n, vectors);
    if (t.a_rows)
      t.from += taken;
    else
      t.a += taken;
    t.c += taken * t.ldc, t.loose -= taken, rows -= taken;
  }
}

static void narrow(const nn_product *g) {
  narrow_block t = {.a = g->a, .acs = g->acs, .b = g->b, .brs = g->bt ? 1 : g->ldb,
                    .bcs = g->bt ? g->ldb : 1, .k = g->k, .ldc = g->ldc, .loose = loose_rows(g),
                    .c = g->c, .bias = g->bias, .add = g->add, .relu = g->relu};
  narrow_rows(t, g->n, g->m);
}
