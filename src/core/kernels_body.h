/* The vector kernels, compiled once an instruction set (see core/vec.h) as one table NN_TABLE. */
#include "core/vec_math.h"
#include "core/kernels_pairs.h"

/* y = expression in a, lane by lane. */
#define MAP1(name, expression)                                          \
  static void name(float *y, const float *x, size_t n) {                \
    size_t i = 0;                                                       \
    for (; i + VW <= n; i += VW) {                                      \
      vf a = v_load(x + i);                                             \
      v_store(y + i, expression);                                       \
    }                                                                   \
    if (i < n) {                                                        \
      vf a = v_load_n(x + i, n - i);                                    \
      v_store_n(y + i, expression, n - i);                              \
    }                                                                   \
  }
#define MAP2(name, expression)                                          \
  static void name(float *y, const float *p, const float *q, size_t n) { \
    size_t i = 0;                                                       \
    for (; i + VW <= n; i += VW) {                                      \
      vf a = v_load(p + i), b = v_load(q + i);                          \
      v_store(y + i, expression);                                       \
    }                                                                   \
    if (i < n) {                                                        \
      vf a = v_load_n(p + i, n - i), b = v_load_n(q + i, n - i);        \
      v_store_n(y + i, expression, n - i);                              \
    }                                                                   \
  }
/* dx (+)= expression in d (the gradient of y) and y. */
#define GRAD(name, expression)                                                           \
  static void name(float *dx, const float *dy, const float *py, int acc, size_t n) {     \
    size_t i = 0;                                                                        \
    for (; i + VW <= n; i += VW) {                                                       \
      vf d = v_load(dy + i), y = v_load(py + i), g = expression;                         \
      v_store(dx + i, acc ? v_add(v_load(dx + i), g) : g);                               \
    }                                                                                    \
    if (i < n) {                                                                         \
      vf d = v_load_n(dy + i, n - i), y = v_load_n(py + i, n - i), g = expression;       \
      v_store_n(dx + i, acc ? v_add(v_load_n(dx + i, n - i), g) : g, n - i);             \
    }                                                                                    \
  }

MAP1(k_exp, m_exp(a))
MAP1(k_log, m_log(a))
MAP1(k_tanh, m_tanh(a))
MAP1(k_sigmoid, m_sigmoid(a))
MAP1(k_erf, m_erf(a))
MAP1(k_gelu, m_gelu(a))
MAP1(k_gelu_tanh, m_gelu_tanh(a))
MAP1(k_softplus, m_softplus(a))
MAP1(k_sqrt, v_sqrt(a))
MAP1(k_rsqrt, v_div(v_set(1), v_sqrt(a)))
MAP1(k_relu, v_max(v_zero(), a))
MAP1(k_silu, m_silu(a))
MAP1(k_log1p, m_log1p(a))
MAP1(k_expm1, m_expm1(a))
MAP1(k_sin, m_sin(a))
MAP1(k_cos, m_cos(a))
MAP1(k_neg, v_neg(a))
MAP1(k_abs, v_abs(a))
MAP1(k_square, v_mul(a, a))
MAP1(k_reciprocal, v_div(v_set(1), a))
MAP2(k_add, v_add(a, b))
MAP2(k_sub, v_sub(a, b))
MAP2(k_mul, v_mul(a, b))
MAP2(k_div, v_div(a, b))
MAP2(k_max, v_sel(v_isnan(a), a, v_max(a, b))) /* NaN where one is */
MAP2(k_min, v_sel(v_isnan(a), a, v_min(a, b)))
GRAD(k_relu_grad, v_sel(v_lt(v_zero(), y), d, v_zero()))
GRAD(k_sigmoid_grad, v_mul(d, v_fnma(y, y, y)))
GRAD(k_tanh_grad, v_mul(d, v_fnma(y, y, v_set(1))))

static void k_add_scalar(float *y, const float *x, float s, size_t n) {
  size_t i = 0;
  for (; i + VW <= n; i += VW) v_store(y + i, v_add(v_load(x + i), v_set(s)));
  if (i < n) v_store_n(y + i, v_add(v_load_n(x + i, n - i), v_set(s)), n - i);
}

static void k_mul_scalar(float *y, const float *x, float s, size_t n) {
  size_t i = 0;
  for (; i + VW <= n; i += VW) v_store(y + i, v_mul(v_load(x + i), v_set(s)));
  if (i < n) v_store_n(y + i, v_mul(v_load_n(x + i, n - i), v_set(s)), n - i);
}

static void k_axpy(float *y, float a, const float *x, size_t n) {
  size_t i = 0;
  for (; i + VW <= n; i += VW) v_store(y + i, v_fma(v_set(a), v_load(x + i), v_load(y + i)));
  if (i < n)
    v_store_n(y + i, v_fma(v_set(a), v_load_n(x + i, n - i), v_load_n(y + i, n - i)), n - i);
}

static void k_add_row(float *y, const float *x, const float *row, size_t m, size_t n) {
  for (size_t r = 0; r < m; r++) k_add(y + r * n, x + r * n, row, n);
}

/* A block of up to 4 vectors of columns at a time, each summed over all rows in order. */
static void k_sum_rows(float *out, const float *x, int acc, size_t m, size_t n) {
  size_t j = 0;
  for (; j + 4 * VW <= n; j += 4 * VW) {
    vf s[4];
    for (int v = 0; v < 4; v++) s[v] = acc ? v_load(out + j + v * VW) : v_zero();
    for (size_t r = 0; r < m; r++)
      for (int v = 0; v < 4; v++) s[v] = v_add(s[v], v_load(x + r * n + j + v * VW));
    for (int v = 0; v < 4; v++) v_store(out + j + v * VW, s[v]);
  }
  for (; j + VW <= n; j += VW) {
    vf s = acc ? v_load(out + j) : v_zero();
    for (size_t r = 0; r < m; r++) s = v_add(s, v_load(x + r * n + j));
    v_store(out + j, s);
  }
  if (j < n) {
    vf s = acc ? v_load_n(out + j, n - j) : v_zero();
    for (size_t r = 0; r < m; r++) s = v_add(s, v_load_n(x + r * n + j, n - j));
    v_store_n(out + j, s, n - j);
  }
}

/* Loads 16 lanes from x, of which n exist; absent ones are `fill`. */
NN_INLINE void load_lanes(vf *out, const float *x, size_t n, float fill) {
  NN_UNROLL
  for (int v = 0; v < NN_PARTS; v++) {
    size_t from = (size_t)v * VW;
    if (n >= from + VW)
      out[v] = v_load(x + from);
    else
      out[v] = n > from ? v_load_fill(x + from, n - from, fill) : v_set(fill);
  }
}
/* Stores the first n of 16 lanes. */
NN_INLINE void store_lanes(float *y, const vf *in, size_t n) {
  NN_UNROLL
  for (int v = 0; v < NN_PARTS; v++) {
    size_t from = (size_t)v * VW;
    if (n >= from + VW)
      v_store(y + from, in[v]);
    else if (n > from)
      v_store_n(y + from, in[v], n - from);
  }
}

static float k_sum(const float *x, size_t n) {
  vf s[NN_PARTS], a[NN_PARTS];
  for (int v = 0; v < NN_PARTS; v++) s[v] = v_zero();
  for (size_t i = 0; i < n; i += 16) {
    load_lanes(a, x + i, n - i, 0);
    for (int v = 0; v < NN_PARTS; v++) s[v] = v_add(s[v], a[v]);
  }
  return v_tree(s);
}

static float k_dot(const float *x, const float *y, size_t n) {
  vf s[NN_PARTS], a[NN_PARTS], b[NN_PARTS];
  for (int v = 0; v < NN_PARTS; v++) s[v] = v_zero();
  for (size_t i = 0; i < n; i += 16) {
    load_lanes(a, x + i, n - i, 0);
    load_lanes(b, y + i, n - i, 0);
    for (int v = 0; v < NN_PARTS; v++) s[v] = v_fma(a[v], b[v], s[v]);
  }
  return v_tree(s);
}

static float k_sum_squares(const float *x, size_t n) { return k_dot(x, x, n); }

/* The largest that is not NaN. */
static float row_max(const float *x, size_t n) {
  vf s[NN_PARTS], a[NN_PARTS];
  for (int v = 0; v < NN_PARTS; v++) s[v] = v_set(-INFINITY);
  for (size_t i = 0; i < n; i += 16) {
    load_lanes(a, x + i, n - i, -INFINITY);
    for (int v = 0; v < NN_PARTS; v++) s[v] = v_max(a[v], s[v]); /* NaN in a gives s */
  }
  return v_tree_max(s);
}

static float k_max_value(const float *x, size_t n) {
  vf bad = v_zero();
  size_t i = 0;
  for (; i + VW <= n; i += VW) bad = v_sel(v_isnan(v_load(x + i)), v_set(1), bad);
  if (i < n) bad = v_sel(v_isnan(v_load_n(x + i, n - i)), v_set(1), bad);
  return v_any(v_lt(v_zero(), bad)) ? NAN : row_max(x, n);
}

/* y = exp(x - top); the sum of y. */
static float exp_row(float *y, const float *x, float top, size_t n) {
  vf s[NN_PARTS], a[NN_PARTS];
  for (int v = 0; v < NN_PARTS; v++) s[v] = v_zero();
  for (size_t i = 0; i < n; i += 16) {
    load_lanes(a, x + i, n - i, -INFINITY);
    for (int v = 0; v < NN_PARTS; v++) {
      a[v] = m_exp(v_sub(a[v], v_set(top)));
      s[v] = v_add(s[v], a[v]);
    }
    if (y) store_lanes(y + i, a, n - i);
  }
  return v_tree(s);
}

/* Up to 8 columns: VW rows side by side, one in each lane. The sums have the order of v_tree, where
 * lanes 8 to 15 are 0. With `logs` the logarithms of the probabilities. */
static void softmax_narrow(float *y, const float *x, size_t rows, size_t n, int logs) {
  float t[8 * VW] = {0};
  vf e[8], top = v_set(-INFINITY);
  for (size_t r = 0; r < rows; r++)
    for (size_t j = 0; j < n; j++) t[j * VW + r] = x[r * n + j];
  for (size_t j = 0; j < n; j++) top = v_max(v_load(t + j * VW), top);
  for (size_t j = 0; j < 8; j++)
    e[j] = j < n ? m_exp(v_sub(v_load(t + j * VW), top)) : v_zero();
  vf sum = v_add(v_add(v_add(e[0], e[4]), v_add(e[2], e[6])),
                 v_add(v_add(e[1], e[5]), v_add(e[3], e[7])));
  if (logs) sum = m_log(sum);
  for (size_t j = 0; j < n; j++)
    v_store(t + j * VW,
            logs ? v_sub(v_sub(v_load(t + j * VW), top), sum) : v_div(e[j], sum));
  for (size_t r = 0; r < rows; r++)
    for (size_t j = 0; j < n; j++) y[r * n + j] = t[j * VW + r];
}

static void softmax_narrow_rows(float *y, const float *x, size_t m, size_t n, int logs) {
  if (n == 2) {
    softmax_two(y, x, m, logs);
    return;
  }
  for (size_t r = 0; r < m; r += VW)
    softmax_narrow(y + r * n, x + r * n, m - r < VW ? m - r : VW, n, logs);
}

/* A row of up to 16 columns stays in registers. */
NN_INLINE void softmax_short(float *y, const float *x, size_t n) {
  vf a[NN_PARTS];
  load_lanes(a, x, n, -INFINITY);
  vf top = v_set(v_tree_max(a));
  for (int v = 0; v < NN_PARTS; v++) a[v] = m_exp(v_sub(a[v], top));
  vf total = v_set(v_tree(a));
  for (int v = 0; v < NN_PARTS; v++) a[v] = v_div(a[v], total);
  store_lanes(y, a, n);
}

static void k_softmax(float *y, const float *x, size_t m, size_t n) {
  if (n <= 8) {
    softmax_narrow_rows(y, x, m, n, 0);
    return;
  }
  for (size_t r = 0; r < m; r++, x += n, y += n) {
    if (n <= 16) {
      softmax_short(y, x, n);
      continue;
    }
    vf total = v_set(exp_row(y, x, row_max(x, n), n));
    size_t i = 0;
    for (; i + VW <= n; i += VW) v_store(y + i, v_div(v_load(y + i), total));
    if (i < n) v_store_n(y + i, v_div(v_load_n(y + i, n - i), total), n - i);
  }
}

static float one_log(float x) {
  float t[VW];
  v_store(t, m_log(v_set(x)));
  return t[0];
}

/* (x - max) - log(sum(exp(x - max))) */
static void k_log_softmax(float *y, const float *x, size_t m, size_t n) {
  if (n <= 8) {
    softmax_narrow_rows(y, x, m, n, 1);
    return;
  }
  for (size_t r = 0; r < m; r++, x += n, y += n) {
    float largest = row_max(x, n);
    vf top = v_set(largest), total = v_set(one_log(exp_row(NULL, x, largest, n)));
    size_t i = 0;
    for (; i + VW <= n; i += VW) v_store(y + i, v_sub(v_sub(v_load(x + i), top), total));
    if (i < n) v_store_n(y + i, v_sub(v_sub(v_load_n(x + i, n - i), top), total), n - i);
  }
}

static void k_softmax_grad(float *dx, const float *dy, const float *y, int acc, size_t m,
                           size_t n) {
  for (size_t r = 0; r < m; r++, dx += n, dy += n, y += n) {
    float total = k_dot(dy, y, n);
    size_t i = 0;
    for (; i + VW <= n; i += VW) {
      vf g = v_mul(v_load(y + i), v_sub(v_load(dy + i), v_set(total)));
      v_store(dx + i, acc ? v_add(v_load(dx + i), g) : g);
    }
    if (i < n) {
      vf g = v_mul(v_load_n(y + i, n - i), v_sub(v_load_n(dy + i, n - i), v_set(total)));
      v_store_n(dx + i, acc ? v_add(v_load_n(dx + i, n - i), g) : g, n - i);
    }
  }
}

/* Rows of one or two numbers: targets. */
static void gather_short(float *out, const float *table, const int32_t *index, size_t m, size_t n) {
  if (n == 1)
    for (size_t r = 0; r < m; r++) out[r] = table[index[r]];
  else
    for (size_t r = 0; r < m; r++) memcpy(out + 2 * r, table + 2 * (size_t)index[r], 8);
}

NN_INLINE void copy_row(float *y, const float *x, size_t n) {
  size_t i = 0;
  for (; i + VW <= n; i += VW) v_store(y + i, v_load(x + i));
  if (i < n) v_store_n(y + i, v_load_n(x + i, n - i), n - i);
}

static void k_gather_rows(float *out, const float *table, const int32_t *index, size_t m,
                          size_t n) {
  if (n == 1 || n == 2) {
    gather_short(out, table, index, m, n);
    return;
  }
  for (size_t r = 0; r < m; r++) {
#if defined(__GNUC__)
    if (r + 8 < m) { /* the rows are far apart: ask for them early */
      const float *next = table + (size_t)index[r + 8] * n;
      for (size_t j = 0; j < n && j < 256; j += 16) __builtin_prefetch(next + j);
    }
#endif
    copy_row(out + r * n, table + (size_t)index[r] * n, n);
  }
}

const nn_kernels NN_TABLE = {
    .name = NN_NAME, .exp = k_exp, .log = k_log, .tanh = k_tanh, .sigmoid = k_sigmoid,
    .erf = k_erf, .gelu = k_gelu, .gelu_tanh = k_gelu_tanh, .softplus = k_softplus,
    .sqrt = k_sqrt, .rsqrt = k_rsqrt, .relu = k_relu, .silu = k_silu, .log1p = k_log1p,
    .expm1 = k_expm1, .sin = k_sin, .cos = k_cos, .neg = k_neg, .abs = k_abs,
    .square = k_square, .reciprocal = k_reciprocal, .relu_grad = k_relu_grad,
    .sigmoid_grad = k_sigmoid_grad, .tanh_grad = k_tanh_grad, .add = k_add, .sub = k_sub,
    .mul = k_mul, .div = k_div, .max = k_max, .min = k_min, .add_scalar = k_add_scalar,
    .mul_scalar = k_mul_scalar, .axpy = k_axpy, .add_row = k_add_row, .sum_rows = k_sum_rows,
    .sum = k_sum, .dot = k_dot, .sum_squares = k_sum_squares, .max_value = k_max_value,
    .softmax = k_softmax, .log_softmax = k_log_softmax, .softmax_grad = k_softmax_grad,
    .gather_rows = k_gather_rows, .crossentropy_pairs = k_crossentropy_pairs,
    .crossentropy_pairs_grad = k_crossentropy_pairs_grad,
};
