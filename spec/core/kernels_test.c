/* Checks the vector kernels in every table that this CPU has: against the C library in double over
 * the whole range of float, and bit for bit against each other. Prints TAP, exits with 1 when a
 * line says "not ok".
 *
 *   kernels_test              every 1009th float and all floats beside a power of two
 *   kernels_test STEP [NAME]  every STEP-th float of one function, of all without a name; with a
 *                             STEP of 1 without the portable table, which takes minutes
 */
#include "core/kernels.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed, count;

static void ok(int good, const char *what) {
  printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, what);
  failed |= !good;
}

static uint64_t random_state = 88172645463325252u;
static uint32_t random_word(void) {
  random_state ^= random_state << 13, random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 32);
}

static float from_bits(uint32_t u) {
  float f;
  memcpy(&f, &u, sizeof f);
  return f;
}
static uint32_t to_bits(float f) {
  uint32_t u;
  memcpy(&u, &f, sizeof u);
  return u;
}
static int same(float a, float b) {
  return (a != a && b != b) || to_bits(a) == to_bits(b);
}

/* The distance of two neighbours at |x|, denormals included. */
static double ulp_at(double x) {
  int e;
  if (x == 0) return 0x1p-149;
  frexp(x, &e);
  return ldexp(1, e - 24 < -149 ? -149 : e - 24);
}

static double d_sigmoid(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }
static double d_gelu(double x) { return x * 0.5 * erfc(-x * 0.70710678118654752440); }
static double d_gelu_tanh(double x) {
  return x * d_sigmoid(1.5957691216057307117 * (x + 0.044715 * x * x * x));
}
static double d_softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static double d_rsqrt(double x) { return 1 / sqrt(x); }
static double d_relu(double x) { return x < 0 ? 0 : x; }
static double d_silu(double x) { return x == -INFINITY ? NAN : x * d_sigmoid(x); }
static double d_neg(double x) { return -x; }
static double d_square(double x) { return x * x; }
static double d_reciprocal(double x) { return 1 / x; }

/* `of_x`: the bound counts units in the last place of x, not of the result. */
typedef struct map_case {
  const char *name;
  size_t offset;
  double (*ref)(double);
  double bound;
  int of_x;
} map_case;
#define MAP(name, ref, bound, of_x) {#name, offsetof(nn_kernels, name), ref, bound, of_x}
static const map_case maps[] = {
    MAP(exp, exp, 1.06, 0),        MAP(log, log, 1.01, 0),      MAP(tanh, tanh, 2.42, 0),
    MAP(sigmoid, d_sigmoid, 2.41, 0), MAP(erf, erf, 1.16, 0),   MAP(gelu, d_gelu, 1.05, 1),
    MAP(gelu_tanh, d_gelu_tanh, 2.07, 1), MAP(softplus, d_softplus, 1.64, 0),
    MAP(sqrt, sqrt, 0.501, 0),     MAP(rsqrt, d_rsqrt, 1.5, 0), MAP(relu, d_relu, 0, 0),
    MAP(silu, d_silu, 1.95, 1),    MAP(log1p, log1p, 0.84, 0),  MAP(expm1, expm1, 1.65, 0),
    MAP(sin, sin, 1.5, 0),         MAP(cos, cos, 1.5, 0),       MAP(neg, d_neg, 0, 0),
    MAP(abs, fabs, 0, 0),          MAP(square, d_square, 0.501, 0),
    MAP(reciprocal, d_reciprocal, 0.501, 0)};

static nn_map1 map_of(const nn_kernels *k, const map_case *c) {
  nn_map1 f;
  memcpy(&f, (const char *)k + c->offset, sizeof f);
  return f;
}

static double error_of(const map_case *c, float x, float y) {
  double want = c->ref((double)x);
  if (want != want) return y != y ? 0 : INFINITY;
  if (same(y, (float)want)) return 0; /* infinities too */
  if (isinf(y)) return fabs(want) > 3.402823e38 ? 0.5 : INFINITY;
  if (isinf(want)) return INFINITY;
  return fabs((double)y - want) / ulp_at(c->of_x && x != 0 ? (double)x : want);
}

#define BLOCK 1037
#define BESIDE 64 /* floats on each side of a power of two */

/* What a sweep goes through: every step-th pattern of bits, then those beside the powers of two. */
typedef struct sweep {
  uint64_t step, at; /* at: from 2^32 on, 2^32 + the number of a float beside a power */
} sweep;

/* Fills x with the next floats; 0 when there are no more. */
static size_t next_floats(float *x, sweep *s) {
  const uint64_t all = UINT64_C(1) << 32, beside = 512 * 2 * BESIDE;
  size_t n = 0;
  for (; n < BLOCK && s->at < all; s->at += s->step) x[n++] = from_bits((uint32_t)s->at);
  if (n == BLOCK || s->step == 1) return n;
  if (s->at < 2 * all) s->at = 2 * all; /* the first part may end beyond 2^32 */
  for (; n < BLOCK && s->at < 2 * all + beside; s->at++) {
    uint32_t i = (uint32_t)(s->at - 2 * all), power = i / (2 * BESIDE) << 23;
    x[n++] = from_bits(power + i % (2 * BESIDE) - BESIDE);
  }
  return n;
}

/* The tables that this CPU has, the fastest first; without the portable one where `fast`. */
static int all_tables(const nn_kernels *out[4], int fast) {
  static const char *const names[] = {"avx512", "avx2", "neon", "portable"};
  int n = 0;
  for (int i = 0; i < 4; i++)
    if ((i < 3 || n == 0 || !fast) && nn_kernels_force(names[i])) out[n++] = nn_kernels_get();
  return n;
}

static void test_map(const map_case *c, uint64_t step) {
  static float x[BLOCK], y[BLOCK + 1], z[BLOCK + 1];
  const nn_kernels *table[4];
  int tables = all_tables(table, step == 1), good[4] = {1, 1, 1, 1};
  sweep s = {step, 0};
  double worst = 0;
  float where = 0;
  for (size_t n; (n = next_floats(x, &s)) > 0;) {
    y[n] = z[n] = 77;
    map_of(table[0], c)(y, x, n);
    for (size_t i = 0; i < n; i++) {
      double e = error_of(c, x[i], y[i]);
      if (!(e <= worst)) worst = e, where = x[i];
    }
    good[0] &= y[n] == 77;
    for (int t = 1; t < tables; t++) {
      map_of(table[t], c)(z, x, n);
      if (memcmp(y, z, (n + 1) * sizeof *y) == 0) continue;
      for (size_t i = 0; i <= n; i++) good[t] &= same(y[i], z[i]);
    }
  }
  char text[160];
  snprintf(text, sizeof text, "%s: %.4f ulp at %a, at most %g", c->name, worst, (double)where,
           c->bound);
  ok(worst <= c->bound && good[0], text);
  for (int t = 1; t < tables; t++) {
    snprintf(text, sizeof text, "%s: the same bits from %s and %s", c->name, table[0]->name,
             table[t]->name);
    ok(good[t], text);
  }
}

static void test_special(const nn_kernels *k) {
  static const float in[] = {0.0f, -0.0f, 1, -1, INFINITY, -INFINITY, NAN, 0x1p-149f, -0x1p-149f,
                             0x1p-126f, 1e4f, -1e4f, 88.7f, 88.8f, -87.4f, -103.9f, -104.1f, 3e38f};
  enum { N = sizeof in / sizeof *in };
  int good = 1;
  for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
    float y[N];
    map_of(k, &maps[i])(y, in, N);
    for (int j = 0; j < N; j++)
      if (!(error_of(&maps[i], in[j], y[j]) <= (maps[i].bound > 0.5 ? maps[i].bound : 0.5))) {
        printf("# %s(%g) = %g\n", maps[i].name, (double)in[j], (double)y[j]);
        good = 0;
      }
  }
  char text[80];
  snprintf(text, sizeof text, "%s: zeros, infinities, NaN, denormals", k->name);
  ok(good, text);
}

/* Every other kernel on one set of arrays; the results side by side in out. Returns how many. */
#define N_MAX 203
static size_t run_all(const nn_kernels *k, const float *a, const float *b, size_t n, float *out) {
  static const nn_map2 none;
  float *o = out;
  nn_map2 two[] = {k->add, k->sub, k->mul, k->div, k->max, k->min, none};
  for (int i = 0; two[i]; i++, o += n) two[i](o, a, b, n);
  void (*grad[])(float *, const float *, const float *, int, size_t) = {
      k->relu_grad, k->sigmoid_grad, k->tanh_grad};
  for (int i = 0; i < 6; i++, o += n) {
    memcpy(o, b, n * sizeof *o);
    grad[i / 2](o, a, b, i % 2, n);
  }
  k->add_scalar(o, a, 1.25f, n), o += n;
  k->mul_scalar(o, a, 1.7f, n), o += n;
  memcpy(o, b, n * sizeof *o), k->axpy(o, 0.3f, a, n), o += n;
  *o++ = k->sum(a, n), *o++ = k->dot(a, b, n), *o++ = k->sum_squares(a, n);
  *o++ = k->max_value(a, n);
  for (size_t cols = 1; cols <= n; cols = cols * 2 + 1) {
    size_t rows = n / cols, size = rows * cols;
    k->add_row(o, a, b, rows, cols), o += size;
    for (int acc = 0; acc < 2; acc++, o += cols) {
      memcpy(o, b, cols * sizeof *o);
      k->sum_rows(o, a, acc, rows, cols);
    }
    k->softmax(o, a, rows, cols), o += size;
    k->log_softmax(o, a, rows, cols), o += size;
    for (int acc = 0; acc < 2; acc++, o += size) {
      memcpy(o, b, size * sizeof *o);
      k->softmax_grad(o, a, b, acc, rows, cols);
    }
    int32_t index[N_MAX];
    for (size_t i = 0; i < rows; i++) index[i] = (int32_t)(i * 7 % rows);
    k->gather_rows(o, a, index, rows, cols), o += size;
  }
  return (size_t)(o - out);
}

static void test_same(const nn_kernels *k, const nn_kernels *base) {
  static float y[64 * N_MAX], z[64 * N_MAX];
  float a[N_MAX], b[N_MAX];
  int good = 1;
  for (int round = 0; round < 400; round++) {
    size_t n = 1 + random_word() % N_MAX;
    for (size_t i = 0; i < n; i++) {
      a[i] = ((float)(int32_t)random_word()) * 0x1p-29f;
      b[i] = ((float)(int32_t)random_word()) * 0x1p-31f;
    }
    if (round % 10 == 9) a[random_word() % n] = NAN;
    memset(y, 0, sizeof y), memset(z, 0, sizeof z);
    size_t used = run_all(k, a, b, n, y);
    good &= used == run_all(base, a, b, n, z);
    for (size_t i = 0; i < used + 64; i++) good &= same(y[i], z[i]);
  }
  char text[80];
  snprintf(text, sizeof text, "%s: sums, gradients, rows have the bits of the portable table",
           k->name);
  ok(good, text);
}

static int close_to(double got, double want, double tolerance) {
  return fabs(got - want) <= tolerance * (1 + fabs(want));
}

/* The values of one table (the others have its bits) against loops in double. */
static void test_values(const nn_kernels *k) {
  enum { M = 5, N = 37 };
  float x[M * N], y[M * N], g[M * N], row[N], out[M * N];
  for (int i = 0; i < M * N; i++) {
    x[i] = ((float)(int32_t)random_word()) * 0x1p-30f;
    g[i] = ((float)(int32_t)random_word()) * 0x1p-31f;
  }
  memcpy(row, g, sizeof row);
  double total = 0, squares = 0, dots = 0, top = -INFINITY;
  for (int i = 0; i < M * N; i++) {
    total += x[i], squares += (double)x[i] * x[i], dots += (double)x[i] * g[i];
    if (x[i] > top) top = x[i];
  }
  ok(close_to(k->sum(x, M * N), total, 1e-5), "sum");
  ok(close_to(k->sum_squares(x, M * N), squares, 1e-5), "sum_squares");
  ok(close_to(k->dot(x, g, M * N), dots, 1e-5), "dot");
  ok(k->max_value(x, M * N) == (float)top && k->max_value(x, 0) == -INFINITY, "max_value");
  k->softmax(y, x, M, N), k->log_softmax(out, x, M, N);
  int good = 1;
  for (int i = 0; i < M; i++) {
    double sum = 0;
    for (int j = 0; j < N; j++) sum += exp((double)x[i * N + j]);
    for (int j = 0; j < N; j++) {
      good &= close_to(y[i * N + j], exp((double)x[i * N + j]) / sum, 4e-7);
      good &= close_to(out[i * N + j], (double)x[i * N + j] - log(sum), 4e-7);
    }
  }
  ok(good, "softmax, log_softmax");
  k->softmax_grad(out, g, y, 0, M, N);
  good = 1;
  for (int i = 0; i < M; i++) {
    double sum = 0;
    for (int j = 0; j < N; j++) sum += (double)g[i * N + j] * y[i * N + j];
    for (int j = 0; j < N; j++)
      good &= close_to(out[i * N + j], y[i * N + j] * (g[i * N + j] - sum), 4e-7);
  }
  ok(good, "softmax_grad");
  k->add_row(out, x, row, M, N), k->sum_rows(y, x, 0, M, N);
  good = 1;
  for (int j = 0; j < N; j++) {
    double sum = 0;
    for (int i = 0; i < M; i++) {
      sum += x[i * N + j];
      good &= out[i * N + j] == x[i * N + j] + row[j];
    }
    good &= close_to(y[j], sum, 1e-6);
  }
  ok(good, "add_row, sum_rows");
  x[3] = NAN, x[N + 2] = -1;
  k->max(out, x, g, M * N), k->min(y, g, x, M * N);
  ok(out[3] != out[3] && y[3] != y[3] && out[N + 2] == fmaxf(-1, g[N + 2]), "max, min carry NaN");
  ok(k->max_value(x, M * N) != k->max_value(x, M * N), "max_value carries NaN");
}

int main(int argc, char **argv) {
  static const char *const names[] = {"portable", "avx2", "avx512", "neon"};
  nn_kernels_force("portable");
  const nn_kernels *base = nn_kernels_get();
  uint64_t step = argc > 1 ? strtoull(argv[1], NULL, 10) : 1009;
  for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
    if (argc < 3 || strcmp(argv[2], maps[i].name) == 0) test_map(&maps[i], step ? step : 1);
  for (size_t t = 0; argc < 2 && t < sizeof names / sizeof *names; t++) {
    if (!nn_kernels_force(names[t])) continue;
    const nn_kernels *k = nn_kernels_get();
    ok(strcmp(k->name, names[t]) == 0, k->name);
    test_special(k);
    test_same(k, base);
  }
  nn_kernels_force(NULL);
  test_values(nn_kernels_get());
  ok(!nn_kernels_force("none"), "an unknown table is refused");
  printf("1..%d\n", count);
  return failed;
}
