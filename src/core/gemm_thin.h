/* Products with k <= 8 and one vector of columns: all of B stays in registers and rows run by. */
NN_INLINE void thin_rows(const int K, const nn_product *g, const vf *b, int64_t acs, size_t last) {
  const float *a = g->a;
  float *c = g->c;
  vf start = g->bias ? v_load_n(g->bias, last) : v_zero();
  const int64_t loose = loose_rows(g);
  for (int64_t i = 0; i < g->m; i++, a += g->ars, c += g->ldc) {
    vf s = g->add ? v_load_n(c, last) : start;
    NN_UNROLL
    for (int p = 0; p < K; p++) s = v_fma(v_set(a[p * acs]), b[p], s);
    if (g->relu) s = v_max(v_zero(), s);
    if (i < loose)
      v_store(c, s);
    else
      v_store_n(c, s, last);
  }
}
#define THIN_CASE(K)                                                                             \
  case K: thin_rows(K, g, b, g->acs, last); break;

static void thin(const nn_product *g) {
  vf b[8];
  const size_t last = (size_t)g->n;
  for (int p = 0; p < 8; p++)
    b[p] = g->bt ? p < g->n ? v_load_n(g->b + p * g->ldb, (size_t)g->k) : v_zero()
                 : p < g->k ? v_load_n(g->b + p * g->ldb, last) : v_zero();
  if (g->bt) v_transpose(b);
  switch (g->k) {
    THIN_CASE(1) THIN_CASE(2) THIN_CASE(3) THIN_CASE(4)
    THIN_CASE(5) THIN_CASE(6) THIN_CASE(7) THIN_CASE(8)
  }
}
