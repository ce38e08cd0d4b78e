/* Systems of equations: lu, solve, solve_triangular, slogdet, cholesky. Matrices are the last two
 * axes of float32 arrays, computed in double. The axes before must agree.
 *
 * Gradients: Y = solve(A, B): dB = solve(A^T, dY), dA = -dB Y^T. log|det A|: dA = dl A^-T.
 * A = L L^T: dA = (S + S^T) / 2, S = L^-T P L^-1, P = the lower half of L^T dL with half its
 * diagonal.
 */
#include <math.h>
#include <string.h>

#include "core/real.h"
#include "ops/matrix.h"
#include "ops/ops.h"

/* LU with rows exchanged, in place. Gives the permutation's sign, 0 where a pivot is 0. */
static int factor(double *a, int64_t n, int64_t *pivot) {
  int sign = 1;
  for (int64_t k = 0; k < n; k++) {
    int64_t best = k;
    for (int64_t i = k + 1; i < n; i++)
      if (fabs(a[i * n + k]) > fabs(a[best * n + k])) best = i;
    pivot[k] = best;
    if (best != k) {
      sign = -sign;
      for (int64_t j = 0; j < n; j++) {
        double t = a[k * n + j];
        a[k * n + j] = a[best * n + j];
        a[best * n + j] = t;
      }
    }
    if (a[k * n + k] == 0) {
      sign = 0;
      continue;
    }
    for (int64_t i = k + 1; i < n; i++) {
      double f = a[i * n + k] /= a[k * n + k];
      for (int64_t j = k + 1; j < n; j++) a[i * n + j] -= f * a[k * n + j];
    }
  }
  return sign;
}

/* Rows lower, from the first (down) or the last. unit: the diagonal counts as 1. */
static void substitute(const double *a, int64_t n, double *b, int64_t m, int lower, int transposed,
                       int unit) {
  int down = lower != transposed;
  for (int64_t s = 0; s < n; s++) {
    int64_t i = down ? s : n - 1 - s;
    for (int64_t t = 0; t < s; t++) {
      int64_t k = down ? t : n - 1 - t;
      double f = transposed ? a[k * n + i] : a[i * n + k];
      for (int64_t j = 0; f != 0 && j < m; j++) b[i * m + j] -= f * b[k * m + j];
    }
    for (int64_t j = 0; !unit && j < m; j++) b[i * m + j] /= a[i * n + i];
  }
}

static void solve_factored(const double *a, const int64_t *pivot, int64_t n, double *b, int64_t m) {
  for (int64_t k = 0; k < n; k++)
    for (int64_t j = 0; pivot[k] != k && j < m; j++) {
      double t = b[k * m + j];
      b[k * m + j] = b[pivot[k] * m + j];
      b[pivot[k] * m + j] = t;
    }
  substitute(a, n, b, m, 1, 0, 1);
  substitute(a, n, b, m, 0, 0, 0);
}

/* Scratch: A (n, n), B (n, m or n), pivots; one more of A for gradients. */
static size_t room(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)a;
  int64_t n = nn_matrix_columns(in[0]), m = n_in > 1 ? nn_matrix_columns(in[1]) : n;
  return (size_t)(2 * n * n + n * (m > n ? m : n) + n) * sizeof(double);
}

static nn_status same_batch(const char *name, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  const nn_shape *a = in[0], *b = in[1];
  char ta[NN_SHAPE_TEXT], tb[NN_SHAPE_TEXT];
  int good = b->ndim == a->ndim && nn_matrix_square(name, a, e) == NN_OK;
  if (nn_matrix_square(name, a, e) != NN_OK) return NN_ERR_SHAPE;
  for (int i = 0; good && i < a->ndim - 1; i++) good = a->dim[i] == b->dim[i];
  if (!good)
    return nn_fail(e, NN_ERR_SHAPE, "%s: a is %s, b is %s", name,
                   nn_shape_text(a, ta, sizeof ta), nn_shape_text(b, tb, sizeof tb));
  *out = *b;
  return NN_OK;
}

/* --- solve ----------------------------------------------------------------------------------- */

static nn_status solve_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)a, (void)n_in;
  return same_batch("solve", in, out, e);
}

/* One system, of A or its transpose. The answer is in the scratch behind A. */
static double *solve_one(nn_call *c, const float *a, const float *b, int64_t n, int64_t m,
                         int transposed) {
  double *A = c->scratch, *B = A + 2 * n * n;
  int64_t *pivot = (void *)(B + n * (m > n ? m : n));
  for (int64_t i = 0; i < n * n; i++) A[i] = a[transposed ? i % n * n + i / n : i];
  for (int64_t i = 0; i < n * m; i++) B[i] = b[i];
  if (!factor(A, n, pivot)) nn_fault(c->run, "solve: the matrix is singular");
  solve_factored(A, pivot, n, B, m);
  return B;
}

static void solve_forward(nn_call *c) {
  int64_t n = nn_matrix_columns(c->in_shape[0]), m = nn_matrix_columns(c->in_shape[1]);
  float *y = c->out[0];
  for (int64_t k = 0; k < nn_matrix_count(c->in_shape[0]); k++) {
    const double *Y = solve_one(c, (const float *)c->in[0] + k * n * n,
                                (const float *)c->in[1] + k * n * m, n, m, 0);
    for (int64_t i = 0; i < n * m; i++) y[k * n * m + i] = (float)Y[i];
  }
}

/* dA = -G Y^T for the entries that count: all, or one triangle. */
static void add_outer(nn_call *c, int64_t k, const double *G, int64_t n, int64_t m, int lower,
                      int upper) {
  const float *y = (const float *)c->out[0] + k * n * m;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) {
      double d = 0;
      for (int64_t t = 0; t < m; t++) d -= G[i * m + t] * y[j * m + t];
      if ((i > j && !lower) || (i < j && !upper)) d = 0;
      nn_matrix_give(c, 0, k * n * n + i * n + j, d);
    }
}

static void solve_backward(nn_call *c) {
  int64_t n = nn_matrix_columns(c->in_shape[0]), m = nn_matrix_columns(c->in_shape[1]);
  for (int64_t k = 0; k < nn_matrix_count(c->in_shape[0]); k++) {
    const double *G = solve_one(c, (const float *)c->in[0] + k * n * n, c->dout[0] + k * n * m, n,
                                m, 1);
    for (int64_t i = 0; c->din[1] && i < n * m; i++) nn_matrix_give(c, 1, k * n * m + i, G[i]);
    if (c->din[0]) add_outer(c, k, G, n, m, 1, 1);
  }
}

const nn_op nn_op_solve = {.name = "solve", .n_in = 2, .n_out = 1, .flags = NN_OP_USES_Y,
                           .shape = solve_shape, .forward = solve_forward,
                           .backward = solve_backward, .scratch = room};

/* --- solve_triangular: attrs.i[0] = lower ---------------------------------------------------- */

static nn_status triangular_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                                  nn_shape *out, nn_error *e) {
  (void)a, (void)n_in;
  return same_batch("solve_triangular", in, out, e);
}

static double *triangular_one(nn_call *c, const float *a, const float *b, int64_t n, int64_t m,
                              int transposed) {
  double *A = c->scratch, *B = A + 2 * n * n;
  for (int64_t i = 0; i < n * n; i++) A[i] = a[i];
  for (int64_t i = 0; i < n * m; i++) B[i] = b[i];
  substitute(A, n, B, m, c->attrs->i[0] != 0, transposed, 0);
  return B;
}

static void triangular_forward(nn_call *c) {
  int64_t n = nn_matrix_columns(c->in_shape[0]), m = nn_matrix_columns(c->in_shape[1]);
  float *y = c->out[0];
  for (int64_t k = 0; k < nn_matrix_count(c->in_shape[0]); k++) {
    const double *Y = triangular_one(c, (const float *)c->in[0] + k * n * n,
                                     (const float *)c->in[1] + k * n * m, n, m, 0);
    for (int64_t i = 0; i < n * m; i++) y[k * n * m + i] = (float)Y[i];
  }
}

static void triangular_backward(nn_call *c) {
  int64_t n = nn_matrix_columns(c->in_shape[0]), m = nn_matrix_columns(c->in_shape[1]);
  int lower = c->attrs->i[0] != 0;
  for (int64_t k = 0; k < nn_matrix_count(c->in_shape[0]); k++) {
    const double *G = triangular_one(c, (const float *)c->in[0] + k * n * n,
                                     c->dout[0] + k * n * m, n, m, 1);
    for (int64_t i = 0; c->din[1] && i < n * m; i++) nn_matrix_give(c, 1, k * n * m + i, G[i]);
    if (c->din[0]) add_outer(c, k, G, n, m, lower, !lower);
  }
}

const nn_op nn_op_solve_triangular = {.name = "solve_triangular", .n_in = 2, .n_out = 1,
                                      .flags = NN_OP_USES_Y, .shape = triangular_shape,
                                      .forward = triangular_forward,
                                      .backward = triangular_backward, .scratch = room};

/* --- slogdet: the sign and the logarithm of the size ----------------------------------------- */

static nn_status slogdet_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                               nn_shape *out, nn_error *e) {
  (void)a, (void)n_in;
  if (nn_matrix_square("slogdet", in[0], e) != NN_OK) return NN_ERR_SHAPE;
  out[0] = *in[0];
  out[0].ndim -= 2;
  out[1] = out[0];
  return NN_OK;
}

static void slogdet_forward(nn_call *c) {
  int64_t n = nn_matrix_columns(c->in_shape[0]);
  double *A = c->scratch;
  int64_t *pivot = (void *)(A + n * n);
  for (int64_t k = 0; k < nn_matrix_count(c->in_shape[0]); k++) {
    double log_size = 0;
    for (int64_t i = 0; i < n * n; i++) A[i] = ((const float *)c->in[0])[k * n * n + i];
    int sign = factor(A, n, pivot);
    for (int64_t i = 0; i < n; i++) {
      if (A[i * n + i] < 0) sign = -sign;
      log_size += nn_log(fabs(A[i * n + i]));
    }
    ((float *)c->out[0])[k] = (float)sign;
    ((float *)c->out[1])[k] = (float)(sign ? log_size : -INFINITY);
  }
}

static void slogdet_backward(nn_call *c) {
  int64_t n = nn_matrix_columns(c->in_shape[0]);
  double *A = c->scratch, *B = A + 2 * n * n;
  int64_t *pivot = (void *)(B + n * n);
  for (int64_t k = 0; c->din[0] && k < nn_matrix_count(c->in_shape[0]); k++) {
    double d = c->dout[1] ? c->dout[1][k] : 0;
    for (int64_t i = 0; i < n * n; i++) {
      A[i] = ((const float *)c->in[0])[k * n * n + i % n * n + i / n];
      B[i] = i % n == i / n;
    }
    factor(A, n, pivot);
    solve_factored(A, pivot, n, B, n);
    for (int64_t i = 0; i < n * n; i++) nn_matrix_give(c, 0, k * n * n + i, d == 0 ? 0 : d * B[i]);
  }
}

const nn_op nn_op_slogdet = {.name = "slogdet", .n_in = 1, .n_out = 2, .shape = slogdet_shape,
                             .forward = slogdet_forward, .backward = slogdet_backward,
                             .scratch = room};

/* --- lu: both factors in one matrix, and with which row (from 1) each was exchanged ---------- */

static nn_status lu_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                          nn_error *e) {
  (void)a, (void)n_in;
  if (nn_matrix_square("lu_factor", in[0], e) != NN_OK) return NN_ERR_SHAPE;
  out[0] = out[1] = *in[0];
  out[1].ndim--;
  out[1].dtype = NN_I32;
  return NN_OK;
}

static void lu_forward(nn_call *c) {
  int64_t n = nn_matrix_columns(c->in_shape[0]);
  double *A = c->scratch;
  int64_t *pivot = (void *)(A + n * n);
  for (int64_t k = 0; k < nn_matrix_count(c->in_shape[0]); k++) {
    for (int64_t i = 0; i < n * n; i++) A[i] = ((const float *)c->in[0])[k * n * n + i];
    factor(A, n, pivot);
    for (int64_t i = 0; i < n * n; i++) ((float *)c->out[0])[k * n * n + i] = (float)A[i];
    for (int64_t i = 0; i < n; i++) ((int32_t *)c->out[1])[k * n + i] = (int32_t)pivot[i] + 1;
  }
}

const nn_op nn_op_lu = {.name = "lu", .n_in = 1, .n_out = 2, .shape = lu_shape,
                        .forward = lu_forward, .scratch = room};

/* --- cholesky: the lower factor -------------------------------------------------------------- */

static nn_status cholesky_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                                nn_shape *out, nn_error *e) {
  (void)a, (void)n_in;
  *out = *in[0];
  return nn_matrix_square("cholesky", in[0], e);
}

static void cholesky_one(nn_call *c, const float *a, float *y, int64_t n) {
  double *L = c->scratch;
  memset(L, 0, (size_t)(n * n) * sizeof *L);
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = j; i < n; i++) {
      double s = a[i * n + j];
      for (int64_t t = 0; t < j; t++) s -= L[i * n + t] * L[j * n + t];
      if (i == j && !(s > 0)) {
        nn_fault(c->run, "cholesky: the matrix is not positive definite");
        s = 1;
      }
      L[i * n + j] = i == j ? sqrt(s) : s / L[j * n + j];
    }
  for (int64_t i = 0; i < n * n; i++) y[i] = (float)L[i];
}

static void cholesky_forward(nn_call *c) {
  int64_t n = nn_matrix_columns(c->in_shape[0]);
  for (int64_t k = 0; k < nn_matrix_count(c->in_shape[0]); k++)
    cholesky_one(c, (const float *)c->in[0] + k * n * n, (float *)c->out[0] + k * n * n, n);
}

static void transpose(double *a, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < i; j++) {
      double t = a[i * n + j];
      a[i * n + j] = a[j * n + i];
      a[j * n + i] = t;
    }
}

static void cholesky_backward(nn_call *c) {
  int64_t n = nn_matrix_columns(c->in_shape[0]);
  double *L = c->scratch, *P = L + n * n;
  for (int64_t k = 0; c->din[0] && k < nn_matrix_count(c->in_shape[0]); k++) {
    const float *dy = c->dout[0] + k * n * n;
    for (int64_t i = 0; i < n * n; i++) L[i] = ((const float *)c->out[0])[k * n * n + i];
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) {
        double s = 0;
        for (int64_t t = i; t < n; t++) s += j <= i ? L[t * n + i] * dy[t * n + j] : 0;
        P[i * n + j] = i == j ? s / 2 : s;
      }
    substitute(L, n, P, n, 1, 1, 0); /* L^-T P */
    transpose(P, n);
    substitute(L, n, P, n, 1, 1, 0); /* (L^-T P L^-1)^T */
    for (int64_t i = 0; i < n * n; i++)
      nn_matrix_give(c, 0, k * n * n + i, (P[i] + P[i % n * n + i / n]) / 2);
  }
}

const nn_op nn_op_cholesky = {.name = "cholesky", .n_in = 1, .n_out = 1, .flags = NN_OP_USES_Y,
                              .shape = cholesky_shape, .forward = cholesky_forward,
                              .backward = cholesky_backward, .scratch = room};
