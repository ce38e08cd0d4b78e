/* The passes of core/chain.h. What lies between layers is turned, for the passes in which rows are
 * the lanes (gemm_chain_rows.h), and stands by rows as well, for the sums over the rows.
 */
#include "core/gemm_chain_rows.h"

/* Whose passes over rows: with AVX-512 those of 16 lanes, though the rest has 8. */
#ifdef NN_CHAIN_WIDE
#define ROWS nn_chain_rows_avx512
#else
static const nn_chain_rows own_rows = {first_rows, next_rows, down_rows, NULL};
#define ROWS own_rows
#endif

/* --- forward --------------------------------------------------------------------------------- */

/* Units 0 .. n - 1 of VW rows, from the turned array, as rows; lane n of them is 1 where it is
 * among the lanes half .. half + VW - 1 that q holds. */
NN_INLINE void turn_back(vf *q, const float *turned, int64_t padded, int64_t n, int64_t half) {
  NN_UNROLL
  for (int i = 0; i < VW; i++)
    q[i] = half + i < n ? v_load(turned + (half + i) * padded) : v_set(half + i == n ? 1 : 0);
  v_transpose(q);
}

static void keep_rows(const nn_chain *c, int layer) {
  const float *turned = c->turned + layer * 8 * c->padded;
  float *out = c->by_rows + layer * 8 * c->padded;
  for (int64_t r = 0; r < c->rows; r += VW)
    for (int64_t half = 0; half < 8; half += VW) {
      vf q[VW];
      turn_back(q, turned + r, c->padded, c->layer[layer].units, half);
      NN_UNROLL
      for (int i = 0; i < VW; i++) v_store(out + (r + i) * 8 + half, q[i]);
    }
}

/* VW or fewer rows of n numbers each to y, without gaps; lanes half on are in q. Rows before
 * `whole` may spill: what follows them is stored later. */
NN_INLINE void put_rows(float *y, const vf *q, int64_t rows, int64_t n, int64_t half,
                        int64_t whole) {
  int64_t width = n - half < VW ? n - half : VW;
  NN_UNROLL
  for (int i = 0; i < VW; i++) {
    if (i >= rows) break;
    if (width == VW || (half == 0 && i < whole))
      v_store(y + i * n + half, q[i]);
    else
      v_store_n(y + i * n + half, q[i], (size_t)width);
  }
}

/* Two units: whole vectors, which the loss then finds without a wait. */
static void put_pairs(const nn_chain *c, const float *turned) {
  static const float odd[8] = {0, 1, 0, 1, 0, 1, 0, 1};
  const vm second = v_lt(v_zero(), v_load(odd));
  int64_t r = 0;
  for (; r + VW / 2 <= c->rows; r += VW / 2) {
    vf a = v_twice(turned + r), b = v_twice(turned + c->padded + r);
    v_store(c->y + 2 * r, v_sel(second, b, a));
  }
  for (; r < c->rows; r++) c->y[2 * r] = turned[r], c->y[2 * r + 1] = turned[c->padded + r];
}

static void put_output(const nn_chain *c) {
  const int64_t n = c->layer[c->n - 1].units, whole = spilling_rows(c->rows, n);
  const float *turned = c->turned + (c->n - 1) * 8 * c->padded;
  if (n == 1) {
    memcpy(c->y, turned, (size_t)c->rows * sizeof *c->y);
    return;
  }
  if (n == 2) {
    put_pairs(c, turned);
    return;
  }
  for (int64_t r = 0; r < c->rows; r += VW)
    for (int64_t half = 0; half < n; half += VW) {
      vf q[VW];
      turn_back(q, turned + r, c->padded, n, half);
      put_rows(c->y + r * n, q, c->rows - r, n, half, whole - r);
    }
}

static void chain_forward(const nn_chain *c) {
  ROWS.first(c);
  for (int i = 1; i < c->n; i++) {
    if (c->backward) keep_rows(c, i - 1);
    ROWS.next(c, i);
  }
  put_output(c);
}

/* --- backward -------------------------------------------------------------------------------- */

/* The gradient of the last layer's sums, turned; 0 in the rows beyond the batch. */
static void take_gradient(const nn_chain *c, float *d) {
  const nn_chain_layer *l = &c->layer[c->n - 1];
  const float *turned = c->turned + (c->n - 1) * 8 * c->padded;
  const int64_t n = l->units;
  for (int64_t r = 0; r < c->rows; r += VW)
    for (int64_t half = 0; half < n; half += VW) {
      vf q[VW];
      const int64_t width = n - half < VW ? n - half : VW;
      const float *dy = c->dy + r * n + half;
      NN_UNROLL
      for (int i = 0; i < VW; i++)
        q[i] = r + i >= c->rows ? v_zero()
               : width == VW    ? v_load(dy + i * n)
                                : v_load_n(dy + i * n, (size_t)width);
      v_transpose(q);
      NN_UNROLL
      for (int i = 0; i < VW; i++) {
        const int64_t at = (half + i) * c->padded + r;
        if (half + i < n) v_store(d + at, chain_slope(l->act, q[i], v_load(turned + at)));
      }
    }
}

/* dbias, one row after the other. */
static void bias_rows(const nn_chain *c, const nn_chain_layer *l, const float *d) {
  float sum[8] = {0};
  for (int64_t r = 0; r < c->rows; r++)
    for (int64_t j = 0; j < l->units; j++) sum[j] += d[j * c->padded + r];
  memcpy(l->dbias, sum, (size_t)l->units * sizeof *sum);
}

/* VW rows of dW from their sums, which have the inputs k, k + 1, ... in the lanes; that of the 1
 * behind the inputs is dbias. */
NN_INLINE void put_weights(const int N, const nn_chain_layer *l, const vf *sum, int64_t k) {
  float *dw = l->dw + k * N;
#if VW == 8
  const int64_t rows = l->in - k < VW ? l->in - k : VW;
  vf q[VW];
  NN_UNROLL
  for (int j = 0; j < VW; j++) q[j] = j < N ? sum[j] : v_zero();
  v_transpose(q);
  put_rows(dw, q, rows, N, 0, spilling_rows(l->in, N) - k);
  NN_UNROLL
  for (int i = 1; i < VW; i++)
    if (i == rows && l->dbias) store_first(l->dbias, q[i], N);
#else
  float t[8][VW];
  for (int j = 0; j < N; j++) v_store(t[j], sum[j]);
  for (int64_t i = 0; i < VW && k + i <= l->in; i++)
    for (int j = 0; j < N; j++)
      if (k + i < l->in)
        dw[i * N + j] = t[j][i];
      else if (l->dbias)
        l->dbias[j] = t[j][i];
#endif
}

/* dW = x' d and dbias of a layer that is not the first. */
NN_INLINE void weights_rows(const int N, const nn_chain *c, int i, const float *d) {
  const nn_chain_layer *l = &c->layer[i];
  for (int64_t k = 0; k <= l->in && k < 8; k += VW) {
    const float *x = c->by_rows + (i - 1) * 8 * c->padded + k;
    vf sum[8];
    NN_UNROLL
    for (int j = 0; j < N; j++) sum[j] = v_zero();
    for (int64_t r = 0; r < c->rows; r++) {
      vf xv = v_load(x + r * 8);
      NN_UNROLL
      for (int j = 0; j < N; j++) sum[j] = v_fma(v_set(d[j * c->padded + r]), xv, sum[j]);
    }
    put_weights(N, l, sum, k);
  }
  if (l->in == 8 && l->dbias) bias_rows(c, l, d);
}

#if defined(NN_CHAIN_WIDE)
static void first_weights(const nn_chain *c, const float *d) {
  const nn_chain_layer *l = c->layer;
  const int n = (int)l->units;
  float sums[8][NN_CHAIN_SUMS];
  for (int64_t from = 0, taken; from < l->in; from += taken) {
    taken = ROWS.sums(c, d, from, sums[0]);
    for (int64_t k = 0; k < taken; k += VW) {
      vf sum[VW];
      for (int j = 0; j < n; j++) sum[j] = v_load(sums[j] + k);
      put_weights(n, l, sum, from + k);
    }
  }
  if (l->in % VW == 0 && l->dbias) bias_rows(c, l, d);
}
#elif VW == 8
static void first_weights(const nn_chain *c, const float *d) {
  const nn_chain_layer *l = c->layer;
  narrow_block t = {.a_rows = c->x, .b = d, .brs = 1, .bcs = c->padded, .k = c->rows,
                    .ldc = l->units, .c = l->dw, .ones = l->dbias};
  t.loose = spilling_rows(l->in, l->units);
  narrow_rows(t, l->units, l->in);
  if (l->in % VW == 0 && l->dbias) bias_rows(c, l, d);
}
#else
NN_INLINE void first_columns(const int N, const nn_chain *c, const float *d) {
  const nn_chain_layer *l = c->layer;
  for (int64_t k = 0; k < l->in; k += VW) {
    const int64_t width = l->in - k < VW ? l->in - k : VW;
    vf sum[8];
    NN_UNROLL
    for (int j = 0; j < N; j++) sum[j] = v_zero();
    for (int64_t r = 0; r < c->rows; r++) {
      vf xv = width == VW ? v_load(c->x[r] + k) : v_load_fill(c->x[r] + k, (size_t)width, 1);
      NN_UNROLL
      for (int j = 0; j < N; j++) sum[j] = v_fma(v_set(d[j * c->padded + r]), xv, sum[j]);
    }
    put_weights(N, l, sum, k);
  }
}
#define COLUMNS_CASE(N) case N: first_columns(N, c, d); break;

static void first_weights(const nn_chain *c, const float *d) {
  const nn_chain_layer *l = c->layer;
  switch (l->units) { EACH_WIDTH(COLUMNS_CASE) }
  if (l->in % VW == 0 && l->dbias) bias_rows(c, l, d);
}
#endif

#define WEIGHTS_CASE(N) case N: weights_rows(N, c, i, d); break;

static void chain_backward(const nn_chain *c) {
  float *d = c->d[c->n % 2];
  take_gradient(c, d);
  for (int i = c->n - 1; i > 0; i--) {
    const nn_chain_layer *l = &c->layer[i];
    if (l->dw) {
      switch (l->units) { EACH_WIDTH(WEIGHTS_CASE) }
    } else if (l->dbias) {
      bias_rows(c, l, d);
    }
    ROWS.down(c, i, d, c->d[i % 2]);
    d = c->d[i % 2];
  }
  if (c->layer->dw)
    first_weights(c, d);
  else if (c->layer->dbias)
    bias_rows(c, c->layer, d);
}
