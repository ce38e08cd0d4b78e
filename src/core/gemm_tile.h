#define ASK_EACH 32 /* steps of k to a piece that is asked for: some 900 cycles */

/* What a tile asks for while it multiplies: the next block of B from `piece` on, and some rows of
 * arrays with C's layout, `each` rows of all of them a piece. */
typedef struct asking {
  const nn_ahead *b;
  int64_t piece;
  const float *like_c[4];
  int64_t width[4];
  int n;
  int64_t rows, ldc, each;
} asking;

NN_INLINE void ask(const asking *s, int64_t i) {
  int64_t piece = s->piece + i, row = i * s->each;
  if (piece < s->b->pieces) {
    const nn_ahead *b = s->b;
    const float *p = b->from + (piece & (b->rows - 1)) * b->ld + piece / b->rows * 64;
    for (int v = 0; v < 64; v += 16) __builtin_prefetch(p + v, 0, 2);
  }
  for (int64_t r = row; r < row + s->each && r < s->rows; r++)
    for (int x = 0; x < s->n; x++)
      for (int64_t v = 0; v < s->width[x]; v += 16)
        __builtin_prefetch(s->like_c[x] + r * s->ldc + v, 0, 2);
}

/* One tile of C, R rows by NV vectors of columns, in registers: the innermost loop of all products.
 * R and NV are constants where it is inlined. With `tail` the last vector has `last` lanes only.
 * `asks`, where not NULL: a piece of it is asked for each ASK_EACH steps.
 */
NN_INLINE void tile(const int R, const int NV, const int tail, const nn_product *g, int64_t k,
                    const float *a, int64_t ars, int64_t acs, const float *b, int64_t ldb, float *c,
                    const float *bias, size_t last, const asking *asks) {
  vf acc[16][8], bv[8];
  const int64_t ldc = g->ldc;
  float *row = c;
  if (bias) {
    NN_UNROLL
    for (int v = 0; v < NV; v++)
      bv[v] = tail && v == NV - 1 ? v_load_n(bias + v * VW, last) : v_load(bias + v * VW);
    NN_UNROLL
    for (int i = 0; i < R; i++)
      NN_UNROLL
      for (int v = 0; v < NV; v++) acc[i][v] = bv[v];
  } else if (g->add) {
    NN_UNROLL
    for (int i = 0; i < R; i++, row += ldc)
      NN_UNROLL
      for (int v = 0; v < NV; v++)
        acc[i][v] = tail && v == NV - 1 ? v_load_n(row + v * VW, last) : v_load(row + v * VW);
  } else {
    NN_UNROLL
    for (int i = 0; i < R; i++)
      NN_UNROLL
      for (int v = 0; v < NV; v++) acc[i][v] = v_zero();
  }
  for (int64_t p = 0, end; p < k; p = end) {
    end = asks && p + ASK_EACH < k ? p + ASK_EACH : k;
    if (asks) ask(asks, p / ASK_EACH);
    for (int64_t q = p; q < end; q++, b += ldb, a += acs) {
      NN_UNROLL
      for (int v = 0; v < NV; v++)
        bv[v] = tail && v == NV - 1 ? v_load_n(b + v * VW, last) : v_load(b + v * VW);
      NN_UNROLL
      for (int i = 0; i < R; i++) {
        vf av = v_set(a[i * ars]);
        NN_UNROLL
        for (int v = 0; v < NV; v++) acc[i][v] = v_fma(av, bv[v], acc[i][v]);
      }
    }
  }
  if (g->relu) {
    NN_UNROLL
    for (int i = 0; i < R; i++)
      NN_UNROLL
      for (int v = 0; v < NV; v++) acc[i][v] = v_max(v_zero(), acc[i][v]);
  }
  row = c;
  NN_UNROLL
  for (int i = 0; i < R; i++, row += ldc)
    NN_UNROLL
    for (int v = 0; v < NV; v++)
      if (tail && v == NV - 1)
        v_store_n(row + v * VW, acc[i][v], last);
      else
        v_store(row + v * VW, acc[i][v]);
}

/* Of a matrix with rows of n and no gaps: how many from the first on may be stored as whole
 * vectors, which begin with the row. What spills falls on rows that are stored later. */
NN_INLINE int64_t spilling_rows(int64_t rows, int64_t n) {
  int64_t kept = (VW - 1) / n; /* rows that begin within the excess of a row */
  return rows > kept ? rows - kept : 0;
}
