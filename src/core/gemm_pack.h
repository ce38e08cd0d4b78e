/* Packing: the operands of a large product copied into panels that a tile reads from end to end.
 * Lanes past the edge of a matrix are 0.
 */

/* out[p][width] = x[i][p], i < rows <= width, p < k, rows of x ld apart: a panel from rows. `width`
 * may be any number; each square of VW by VW is turned in registers. */
NN_INLINE void pack_turned(float *out, const float *x, int64_t ld, int64_t rows, int64_t k,
                           const int64_t width) {
  for (int64_t p = 0; p < k; p += VW) {
    int64_t kv = k - p < VW ? k - p : VW;
    for (int64_t i = 0; i < width; i += VW) {
      vf r[VW];
      const float *from = x + i * ld + p;
      int64_t lanes = width - i < VW ? width - i : VW;
      if (kv == VW && rows - i >= VW) {
        NN_UNROLL
        for (int v = 0; v < VW; v++) r[v] = v_load(from + v * ld);
      } else {
        for (int v = 0; v < VW; v++)
          r[v] = i + v >= rows ? v_zero()
                 : kv == VW    ? v_load(from + v * ld)
                               : v_load_n(from + v * ld, (size_t)kv);
      }
      v_transpose(r);
      if (kv == VW && lanes == VW) {
        NN_UNROLL
        for (int v = 0; v < VW; v++) v_store(out + (p + v) * width + i, r[v]);
      } else {
        for (int v = 0; v < kv; v++) {
          float *to = out + (p + v) * width + i;
          if (lanes == VW)
            v_store(to, r[v]);
          else
            v_store_n(to, r[v], (size_t)lanes);
        }
      }
    }
  }
}

/* out[p][width] = x[p][j], j < cols <= width: a panel from columns. */
NN_INLINE void pack_straight(float *out, const float *x, int64_t ld, int64_t cols, int64_t k,
                             const int64_t width) {
  for (int64_t p = 0; p < k; p++, x += ld, out += width) {
    if (cols == width) {
      int64_t j = 0;
      NN_UNROLL
      for (; j + VW <= width; j += VW) v_store(out + j, v_load(x + j));
      if (j < width) v_store_n(out + j, v_load_n(x + j, (size_t)(width - j)), (size_t)(width - j));
    } else {
      for (int64_t j = 0; j < width; j++) out[j] = j < cols ? x[j] : 0;
    }
  }
}

static void pack_a(float *out, const nn_product *g, int64_t i0, int64_t rows, int64_t p0,
                   int64_t k) {
  for (int64_t i = 0; i < rows; i += NN_R2, out += NN_R2 * k) {
    int64_t r = rows - i < NN_R2 ? rows - i : NN_R2;
    const float *a = g->a + (i0 + i) * g->ars + p0 * g->acs;
    if (g->acs == 1)
      pack_turned(out, a, g->ars, r, k, NN_R2);
    else
      pack_straight(out, a, g->acs, r, k, NN_R2);
  }
}

static void pack_b(float *out, const nn_product *g, int64_t j0, int64_t cols, int64_t p0,
                   int64_t k) {
  for (int64_t j = 0; j < cols; j += 2 * VW, out += 2 * VW * k) {
    int64_t c = cols - j < 2 * VW ? cols - j : 2 * VW;
    if (g->bt)
      pack_turned(out, g->b + (j0 + j) * g->ldb + p0, g->ldb, c, k, 2 * VW);
    else
      pack_straight(out, g->b + p0 * g->ldb + j0 + j, g->ldb, c, k, 2 * VW);
  }
}
