/* The passes of a chain (core/chain.h) in which the batch's rows are the lanes, on any number of
 * lanes. "Turned" arrays have a row a unit: element (unit, row) at unit * padded + row. B: how many
 * vectors of rows go side by side, so that the multipliers need not wait for their own results.
 */
#include "core/chain.h"

#if VW == 16
#define CHAIN_B(N) ((N) <= 6 ? 2 : 1)
#elif VW == 8
#define CHAIN_B(N) ((N) <= (NN_NARROW > 16 ? 6 : 3) ? 2 : 1)
#else
#define CHAIN_B(N) ((N) <= (NN_R2 > 4 ? 6 : 3) ? 2 : 1)
#endif
#define EACH_WIDTH(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
/* `block` for all rows: B vectors at a time while as many are left. */
#define EACH_BLOCK(N, block)                                                                     \
  do {                                                                                           \
    const int B = CHAIN_B(N);                                                                    \
    int64_t r = 0;                                                                               \
    for (; r + (B - 1) * VW < c->rows; r += B * VW) block(B);                                    \
    if (r < c->rows) block(1);                                                                   \
  } while (0)

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

NN_INLINE void first_block(const int N, const int B, const nn_chain *c, int64_t r) {
  const nn_chain_layer *l = c->layer;
  const int rest = (int)(l->in % 4);
  const float *const *x = c->x + r;
  const float *w = l->w;
  vf acc[8][2];
  chain_start(N, B, l->bias, acc);
  for (int64_t k = 0; k + 4 <= l->in; k += 4, w += 4 * N) chain_columns(N, B, x, k, 4, w, acc);
  if (rest) chain_rest(N, B, x, l->in, rest, w, acc);
  chain_store(N, B, l->act, acc, c->turned + r, c->padded);
}

NN_INLINE void next_block(const int N, const int B, const nn_chain *c, int i, int64_t r) {
  const nn_chain_layer *l = &c->layer[i];
  const float *x = c->turned + (i - 1) * 8 * c->padded;
  vf acc[8][2], in[2];
  chain_start(N, B, l->bias, acc);
  for (int64_t k = 0; k < l->in; k++) {
    NN_UNROLL
    for (int b = 0; b < B; b++) in[b] = v_load(x + k * c->padded + r + b * VW);
    chain_add(N, B, in, l->w + k * N, acc);
  }
  chain_store(N, B, l->act, acc, c->turned + i * 8 * c->padded + r, c->padded);
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

/* K inputs of layer i: dx = d W', through the activation below. */
NN_INLINE void down_block(const int K, const int B, const nn_chain *c, int i, const float *d,
                          float *dx, int64_t r) {
  const nn_chain_layer *l = &c->layer[i];
  const float *y = c->turned + (i - 1) * 8 * c->padded;
  const nn_act act = c->layer[i - 1].act;
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

#ifndef NN_CHAIN_WIDE
#define FIRST_BLOCK(B) first_block(n, B, c, r)
#define FIRST_CASE(N) case N: { const int n = N; EACH_BLOCK(N, FIRST_BLOCK); } break;
#define NEXT_BLOCK(B) next_block(n, B, c, i, r)
#define NEXT_CASE(N) case N: { const int n = N; EACH_BLOCK(N, NEXT_BLOCK); } break;

static void first_rows(const nn_chain *c) {
  switch (c->layer[0].units) { EACH_WIDTH(FIRST_CASE) }
}

static void next_rows(const nn_chain *c, int i) {
  switch (c->layer[i].units) { EACH_WIDTH(NEXT_CASE) }
}

#define DOWN_BLOCK(B) down_block(k, B, c, i, d, dx, r)
#define DOWN_CASE(K) case K: { const int k = K; EACH_BLOCK(K, DOWN_BLOCK); } break;

static void down_rows(const nn_chain *c, int i, const float *d, float *dx) {
  switch (c->layer[i].in) { EACH_WIDTH(DOWN_CASE) }
}
#endif

#if VW == 16
/* --- sums over the rows, for the first layer's weights ---------------------------------------- */

/* V vectors of inputs from `from` on, the last has `last` inputs and then ones. */
NN_INLINE void sum_block(const int N, const int V, const nn_chain *c, const float *d, int64_t from,
                         size_t last, float *out) {
  vf acc[8][4], x[4];
  NN_UNROLL
  for (int j = 0; j < N; j++)
    NN_UNROLL
    for (int v = 0; v < V; v++) acc[j][v] = v_zero();
  for (int64_t r = 0; r < c->rows; r++) {
    const float *row = c->x[r] + from;
    NN_UNROLL
    for (int v = 0; v < V; v++)
      x[v] = v < V - 1 || last == VW ? v_load(row + v * VW) : v_load_fill(row + v * VW, last, 1);
    NN_UNROLL
    for (int j = 0; j < N; j++) {
      vf dv = v_set(d[j * c->padded + r]);
      NN_UNROLL
      for (int v = 0; v < V; v++) acc[j][v] = v_fma(x[v], dv, acc[j][v]);
    }
  }
  NN_UNROLL
  for (int j = 0; j < N; j++)
    NN_UNROLL
    for (int v = 0; v < V; v++) v_store(out + j * NN_CHAIN_SUMS + v * VW, acc[j][v]);
}

#define MOST_SUMS(N) ((N) <= 6 ? 4 : 3) /* vectors whose sums fit into the registers */
#define SUM_CASE(N)                                                                              \
  case N:                                                                                        \
    if (vectors >= MOST_SUMS(N)) vectors = MOST_SUMS(N);                                         \
    last = left < vectors * VW ? (size_t)(left - (vectors - 1) * VW) : VW;                       \
    if (vectors == 4) sum_block(N, MOST_SUMS(N), c, d, from, last, out);                         \
    else if (vectors == 3) sum_block(N, 3, c, d, from, last, out);                               \
    else if (vectors == 2) sum_block(N, 2, c, d, from, last, out);                               \
    else sum_block(N, 1, c, d, from, last, out);                                                 \
    break;

static int64_t sum_rows(const nn_chain *c, const float *d, int64_t from, float *out) {
  const int64_t left = c->layer[0].in - from;
  int64_t vectors = (left + VW - 1) / VW;
  size_t last;
  switch (c->layer[0].units) { EACH_WIDTH(SUM_CASE) }
  return left < vectors * VW ? left : vectors * VW;
}

const nn_chain_rows nn_chain_rows_avx512 = {first_rows, next_rows, down_rows, sum_rows};
#endif
