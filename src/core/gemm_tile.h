#define ASK_EACH 32 /* steps of k to a piece that is asked for: some 900 cycles */

static void ask_for(const nn_ahead *ahead, int64_t piece) {
  const float *p = ahead->from + (piece & (ahead->rows - 1)) * ahead->ld + piece / ahead->rows * 64;
  for (int i = 0; i < 64; i += 16) __builtin_prefetch(p + i, 0, 2);
}

/* One tile of C, R rows by NV vectors of columns, in registers: the innermost loop of all products.
 * R and NV are constants where it is inlined. With `tail` the last vector has `last` lanes only.
 * `ahead`, where not NULL: its pieces from `piece` on are asked for, one each ASK_EACH steps.
 */
NN_INLINE void tile(const int R, const int NV, const int tail, const nn_product *g, int64_t k,
                    const float *a, int64_t ars, int64_t acs, const float *b, int64_t ldb, float *c,
                    const float *bias, size_t last, const nn_ahead *ahead, int64_t piece) {
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
    end = ahead && p + ASK_EACH < k ? p + ASK_EACH : k;
    if (ahead && piece < ahead->pieces) ask_for(ahead, piece++);
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
