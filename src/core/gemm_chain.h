/* The passes of core/chain.h. "Turned" arrays have a row a unit and the batch's rows in the lanes:
 * element (unit, row) at unit * padded + row. B: how many vectors of rows go side by side, so that
 * the multipliers need not wait for their own results.
 */
#include "core/chain.h"

#if VW == 8
#define CHAIN_B(N) ((N) <= (NN_NARROW > 16 ? 6 : 3) ? 2 : 1)
#else
#define CHAIN_B(N) ((N) <= (NN_R2 > 4 ? 6 : 3) ? 2 : 1)
#endif
#define EACH_WIDTH(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)

/* --- forward: N units ------------------------------------------------------------------------ */

NN_INLINE void chain_start(const int N, const int B, const float *bias, vf acc[8][2]) {
  NN_UNROLL
  for (int j = 0; j < N; j++)
    NN_UNROLL
    for (int b = 0; b < B; b++) acc[j][b] = bias ? v_set(bias[j]) : v_zero();
}

/* One input of all rows, x, times its row of weights. */
NN_INLINE void chain_add(const int N, const int B, const vf *x, const float *w, vf acc[8][2]) {
  NN_UNROLL
  for (int j = 0; j < N; j++) {
    vf wv = v_set(w[j]);
    NN_UNROLL
    for (int b = 0; b < B; b++) acc[j][b] = v_fma(x[b], wv, acc[j][b]);
  }
}

NN_INLINE vf chain_act(nn_act act, vf a) {
  switch (act) {
    case NN_ACT_RELU: return v_max(v_zero(), a);
    case NN_ACT_SIGMOID: return m_sigmoid(a);
    case NN_ACT_TANH: return m_tanh(a);
    default: return a;
  }
}

NN_INLINE void chain_store(const int N, const int B, nn_act act, vf acc[8][2], float *y,
                           int64_t padded) {
  NN_UNROLL
  for (int j = 0; j < N; j++)
    NN_UNROLL
    for (int b = 0; b < B; b++) v_store(y + j * padded + b * VW, chain_act(act, acc[j][b]));
}

/* Columns at .. at + 3 of the rows, the last `used` of them. */
NN_INLINE void chain_columns(const int N, const int B, const float *const *x, int64_t at, int used,
                             const float *w, vf acc[8][2]) {
  vf q[2][4], column[4][2];
  NN_UNROLL
  for (int b = 0; b < B; b++) {
    NN_UNROLL
    for (int i = 0; i < 4; i++) q[b][i] = v_pieces(x + b * VW + i, at);
    v_transpose4(q[b]);
    NN_UNROLL
    for (int i = 0; i < 4; i++) column[i][b] = q[b][i];
  }
  NN_UNROLL
  for (int i = 0; i < 4; i++)
    if (i >= 4 - used) {
      chain_add(N, B, column[i], w, acc);
      w += N;
    }
}

/* The last columns; where a row has less than 4, it is copied to the end of 4. */
NN_INLINE void chain_rest(const int N, const int B, const float *const *x, int64_t in, int rest,
                          const float *w, vf acc[8][2]) {
  float copy[2 * VW][4] = {{0}};
  const float *rows[2 * VW + 4];
  if (in >= 4) {
    chain_columns(N, B, x, in - 4, rest, w, acc);
    return;
  }
  for (int r = 0; r < B * VW; r++) {
    for (int64_t k = 0; k < in; k++) copy[r][4 - in + k] = x[r][k];
    rows[r] = copy[r];
  }
  chain_columns(N, B, rows, 0, rest, w, acc);
}

NN_INLINE void first_rows(const int N, const int B, const nn_chain *c) {
  const nn_chain_layer *l = c->layer;
  const int rest = (int)(l->in % 4);
  for (int64_t r = 0; r < c->rows; r += B * VW) {
    vf acc[8][2];
    const float *const *x = c->x + r;
    const float *w = l->w;
    chain_start(N, B, l->bias, acc);
    for (int64_t k = 0; k + 4 <= l->in; k += 4, w += 4 * N) chain_columns(N, B, x, k, 4, w, acc);
    if (rest) chain_rest(N, B, x, l->in, rest, w, acc);
    chain_store(N, B, l->act, acc, c->turned + r, c->padded);
  }
}

NN_INLINE void next_rows(const int N, const int B, const nn_chain *c, int i) {
  const nn_chain_layer *l = &c->layer[i];
  const float *x = c->turned + (i - 1) * 8 * c->padded;
  float *y = c->turned + i * 8 * c->padded;
  for (int64_t r = 0; r < c->rows; r += B * VW) {
    vf acc[8][2], in[2];
    chain_start(N, B, l->bias, acc);
    for (int64_t k = 0; k < l->in; k++) {
      NN_UNROLL
      for (int b = 0; b < B; b++) in[b] = v_load(x + k * c->padded + r + b * VW);
      chain_add(N, B, in, l->w + k * N, acc);
    }
    chain_store(N, B, l->act, acc, y + r, c->padded);
  }
}

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

#define FIRST_CASE(N) case N: first_rows(N, CHAIN_B(N), c); break;
#define NEXT_CASE(N) case N: next_rows(N, CHAIN_B(N), c, i); break;

static void chain_forward(const nn_chain *c) {
  switch (c->layer[0].units) { EACH_WIDTH(FIRST_CASE) }
  for (int i = 1; i < c->n; i++) {
    if (c->backward) keep_rows(c, i - 1);
    switch (c->layer[i].units) { EACH_WIDTH(NEXT_CASE) }
  }
  put_output(c);
}

/* --- backward -------------------------------------------------------------------------------- */

NN_INLINE vf chain_slope(nn_act act, vf d, vf y) {
  switch (act) {
    case NN_ACT_RELU: return v_sel(v_lt(v_zero(), y), d, v_zero());
    case NN_ACT_SIGMOID: return v_mul(d, v_fnma(y, y, y));
    case NN_ACT_TANH: return v_mul(d, v_fnma(y, y, v_set(1)));
    default: return d;
  }
}

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

/* K inputs of layer i: dx = d W', through the activation below. */
NN_INLINE void down_rows(const int K, const int B, const nn_chain *c, int i, const float *d,
                         float *dx) {
  const nn_chain_layer *l = &c->layer[i];
  const float *y = c->turned + (i - 1) * 8 * c->padded;
  const nn_act act = c->layer[i - 1].act;
  for (int64_t r = 0; r < c->rows; r += B * VW) {
    vf acc[8][2], in[2];
    chain_start(K, B, NULL, acc);
    for (int64_t j = 0; j < l->units; j++) {
      NN_UNROLL
      for (int b = 0; b < B; b++) in[b] = v_load(d + j * c->padded + r + b * VW);
      NN_UNROLL
      for (int k = 0; k < K; k++) {
        vf wv = v_set(l->w[k * l->units + j]);
        NN_UNROLL
        for (int b = 0; b < B; b++) acc[k][b] = v_fma(in[b], wv, acc[k][b]);
      }
    }
    NN_UNROLL
    for (int k = 0; k < K; k++)
      NN_UNROLL
      for (int b = 0; b < B; b++) {
        int64_t at = k * c->padded + r + b * VW;
        v_store(dx + at, chain_slope(act, acc[k][b], v_load(y + at)));
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

#if VW == 8
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
#define DOWN_CASE(K) case K: down_rows(K, CHAIN_B(K), c, i, d, c->d[i % 2]); break;

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
    switch (l->in) { EACH_WIDTH(DOWN_CASE) }
    d = c->d[i % 2];
  }
  if (c->layer->dw)
    first_weights(c, d);
  else if (c->layer->dbias)
    bias_rows(c, c->layer, d);
}
