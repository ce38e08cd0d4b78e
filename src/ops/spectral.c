/* Orthogonal decompositions in double: qr (Householder's reflections, as LAPACK signs them), eigh
 * and svd (Jacobi's rotations).
 *
 * Gradients: eigh: dA = V (diag(dw) + F (V^T dV)) V^T, F_ij = 1 / (w_j - w_i); svd: of the singular
 * values alone, dA = U diag(ds) V^T.
 */
#include <math.h>
#include <string.h>

#include "core/real.h"
#include "ops/matrix.h"
#include "ops/ops.h"

#define SWEEPS 60

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static const float *input(const nn_call *c, int64_t k) {
  const nn_shape *s = c->in_shape[0];
  return (const float *)c->in[0] + k * nn_matrix_rows(s) * nn_matrix_columns(s);
}

/* The matrix, what turns with it, and a result that is square where attrs.i[0] asks for that. */
static size_t room(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  int64_t m = nn_matrix_rows(in[0]), n = nn_matrix_columns(in[0]);
  int64_t few = smaller(m, n), many = m + n - few;
  return (size_t)(2 * many * few + few * few + many * (a->i[0] ? many : few) + few) *
         sizeof(double);
}

/* --- qr: attrs.i[0] = 1: Q is square --------------------------------------------------------- */

static nn_status qr_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                          nn_error *e) {
  (void)n_in;
  if (nn_matrix_check("qr", in[0], e) != NN_OK) return NN_ERR_SHAPE;
  int64_t m = nn_matrix_rows(in[0]), n = nn_matrix_columns(in[0]);
  int64_t k = a->i[0] ? m : smaller(m, n);
  out[0] = out[1] = *in[0];
  out[0].dim[in[0]->ndim - 1] = k;
  out[1].dim[in[0]->ndim - 2] = k;
  return NN_OK;
}

/* Rows of X (.., columns) less 2 v (v^T X) / v^T v, v from row `from` on. */
static void reflect(double *x, int64_t rows, int64_t columns, const double *v, int64_t from,
                    double vv) {
  for (int64_t j = 0; j < columns; j++) {
    double s = 0;
    for (int64_t i = from; i < rows; i++) s += v[i] * x[i * columns + j];
    s *= 2 / vv;
    for (int64_t i = from; i < rows; i++) x[i * columns + j] -= s * v[i];
  }
}

/* A (m, n) becomes R; V (steps rows of m) keeps the reflections. */
static void triangulate(double *A, int64_t m, int64_t n, double *V) {
  for (int64_t k = 0; k < smaller(m, n); k++) {
    double *v = V + k * m, size = 0, below = 0, vv = 0;
    memset(v, 0, (size_t)m * sizeof *v);
    for (int64_t i = k; i < m; i++) {
      v[i] = A[i * n + k];
      size += v[i] * v[i];
      if (i > k) below += v[i] * v[i];
    }
    if (below == 0) { /* nothing to reflect */
      memset(v, 0, (size_t)m * sizeof *v);
      continue;
    }
    v[k] += v[k] < 0 ? -sqrt(size) : sqrt(size);
    for (int64_t i = k; i < m; i++) vv += v[i] * v[i];
    reflect(A, m, n, v, k, vv);
  }
}

static void qr_one(nn_call *c, int64_t at) {
  int64_t m = nn_matrix_rows(c->in_shape[0]), n = nn_matrix_columns(c->in_shape[0]);
  int64_t k = nn_matrix_columns(c->out_shape[0]);
  double *A = c->scratch, *V = A + m * n, *Q = V + m * smaller(m, n);
  const float *x = input(c, at);
  float *q = (float *)c->out[0] + at * m * k, *r = (float *)c->out[1] + at * k * n;
  for (int64_t i = 0; i < m * n; i++) A[i] = x[i];
  triangulate(A, m, n, V);
  for (int64_t i = 0; i < m * k; i++) Q[i] = i / k == i % k;
  for (int64_t s = smaller(m, n) - 1; s >= 0; s--) {
    double vv = 0;
    for (int64_t i = s; i < m; i++) vv += V[s * m + i] * V[s * m + i];
    if (vv > 0) reflect(Q, m, k, V + s * m, s, vv);
  }
  for (int64_t i = 0; i < m * k; i++) q[i] = (float)Q[i];
  for (int64_t i = 0; i < k * n; i++) r[i] = i % n >= i / n ? (float)A[i] : 0;
}

static void qr_forward(nn_call *c) {
  for (int64_t k = 0; k < nn_matrix_count(c->in_shape[0]); k++) qr_one(c, k);
}

static void qr_backward(nn_call *c) { nn_fault(c->run, "qr: it has no gradient"); }

const nn_op nn_op_qr = {.name = "qr", .n_in = 1, .n_out = 2, .shape = qr_shape,
                        .forward = qr_forward, .backward = qr_backward, .scratch = room,
                        .flags = NN_OP_LATE};

/* --- eigh: eigenvalues, smallest first, and eigenvectors as columns --------------------------- */

static nn_status eigh_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  (void)a, (void)n_in;
  if (nn_matrix_square("eigh", in[0], e) != NN_OK) return NN_ERR_SHAPE;
  out[0] = out[1] = *in[0];
  out[0].ndim--;
  return NN_OK;
}

static void rotate(double *x, int64_t p, int64_t q, int64_t n, int64_t step, double co, double si) {
  for (int64_t i = 0; i < n; i++, p += step, q += step) {
    double u = x[p], v = x[q];
    x[p] = co * u - si * v;
    x[q] = si * u + co * v;
  }
}

/* The rotation that makes a symmetric [[app, apq], [apq, aqq]] diagonal. */
static void rotation(double app, double apq, double aqq, double *co, double *si) {
  double theta = (aqq - app) / (2 * apq);
  double t = (theta < 0 ? -1 : 1) / (fabs(theta) + nn_hypot(theta, 1));
  *co = 1 / nn_hypot(t, 1);
  *si = t * *co;
}

static void eigh_rotate(double *A, double *V, int64_t n) {
  for (int sweep = 0; sweep < SWEEPS; sweep++) {
    double off = 0, all = 0, co, si;
    for (int64_t i = 0; i < n * n; i++) {
      all += A[i] * A[i];
      if (i / n != i % n) off += A[i] * A[i];
    }
    if (!(off > 1e-30 * all)) return;
    for (int64_t p = 0; p < n; p++)
      for (int64_t q = p + 1; q < n; q++) {
        if (A[p * n + q] == 0) continue;
        rotation(A[p * n + p], A[p * n + q], A[q * n + q], &co, &si);
        rotate(A, p, q, n, n, co, si);
        rotate(A, p * n, q * n, n, 1, co, si);
        rotate(V, p, q, n, n, co, si);
      }
  }
}

static void swap_columns(double *x, int64_t rows, int64_t n, int64_t p, int64_t q) {
  for (int64_t i = 0; i < rows; i++) {
    double t = x[i * n + p];
    x[i * n + p] = x[i * n + q];
    x[i * n + q] = t;
  }
}

static void eigh_one(nn_call *c, int64_t k, int64_t n) {
  double *A = c->scratch, *V = A + n * n;
  const float *x = input(c, k);
  float *w = (float *)c->out[0] + k * n, *v = (float *)c->out[1] + k * n * n;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) {
      A[i * n + j] = x[i > j ? i * n + j : j * n + i]; /* the lower half counts */
      V[i * n + j] = i == j;
    }
  eigh_rotate(A, V, n);
  for (int64_t i = 0; i < n; i++) {
    int64_t best = i;
    for (int64_t j = i + 1; j < n; j++)
      if (A[j * n + j] < A[best * n + best]) best = j;
    double t = A[i * n + i];
    A[i * n + i] = A[best * n + best];
    A[best * n + best] = t;
    swap_columns(V, n, n, i, best);
    w[i] = (float)A[i * n + i];
  }
  for (int64_t i = 0; i < n * n; i++) v[i] = (float)V[i];
}

static void eigh_forward(nn_call *c) {
  int64_t n = nn_matrix_columns(c->in_shape[0]);
  for (int64_t k = 0; k < nn_matrix_count(c->in_shape[0]); k++) eigh_one(c, k, n);
}

/* M = diag(dw) + F (V^T dV) */
static void eigh_inner(const nn_call *c, int64_t k, int64_t n, double *M) {
  const float *w = (const float *)c->out[0] + k * n, *v = (const float *)c->out[1] + k * n * n;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) {
      double s = 0;
      if (i == j) {
        s = c->dout[0] ? c->dout[0][k * n + i] : 0;
      } else if (c->dout[1] && w[i] != w[j]) {
        for (int64_t t = 0; t < n; t++) s += (double)v[t * n + i] * c->dout[1][(k * n + t) * n + j];
        s /= (double)w[j] - w[i];
      }
      M[i * n + j] = s;
    }
}

static void eigh_backward(nn_call *c) {
  int64_t n = nn_matrix_columns(c->in_shape[0]);
  double *M = c->scratch, *T = M + n * n;
  for (int64_t k = 0; c->din[0] && k < nn_matrix_count(c->in_shape[0]); k++) {
    const float *v = (const float *)c->out[1] + k * n * n;
    eigh_inner(c, k, n, M);
    for (int64_t i = 0; i < n * n; i++) {
      T[i] = 0;
      for (int64_t t = 0; t < n; t++) T[i] += v[i / n * n + t] * M[t * n + i % n];
    }
    for (int64_t i = 0; i < n * n; i++) {
      double s = 0; /* of the symmetric part: both halves of A move together */
      for (int64_t t = 0; t < n; t++)
        s += (T[i / n * n + t] * v[i % n * n + t] + T[i % n * n + t] * v[i / n * n + t]) / 2;
      nn_matrix_give(c, 0, k * n * n + i, s);
    }
  }
}

const nn_op nn_op_eigh = {.name = "eigh", .n_in = 1, .n_out = 2, .flags = NN_OP_USES_Y,
                          .shape = eigh_shape, .forward = eigh_forward, .backward = eigh_backward,
                          .scratch = room};

/* --- svd: U, s (largest first), V^T. attrs.i[0] = 1: U and V are square ----------------------- */

static nn_status svd_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                           nn_error *e) {
  (void)n_in;
  if (nn_matrix_check("svd", in[0], e) != NN_OK) return NN_ERR_SHAPE;
  int last = in[0]->ndim - 1;
  int64_t m = in[0]->dim[last - 1], n = in[0]->dim[last], k = smaller(m, n);
  out[0] = out[1] = out[2] = *in[0];
  out[0].dim[last] = a->i[0] ? m : k;
  out[1].ndim = last;
  out[1].dim[last - 1] = k;
  out[2].dim[last - 1] = a->i[0] ? n : k;
  return NN_OK;
}

/* Rotates the columns of A (m, n) until all are orthogonal; V turns with them. */
static void orthogonalize(double *A, int64_t m, int64_t n, double *V) {
  for (int sweep = 0, turned = 1; turned && sweep < SWEEPS; sweep++) {
    turned = 0;
    for (int64_t p = 0; p < n; p++)
      for (int64_t q = p + 1; q < n; q++) {
        double pp = 0, pq = 0, qq = 0, co, si;
        for (int64_t i = 0; i < m; i++) {
          pp += A[i * n + p] * A[i * n + p];
          pq += A[i * n + p] * A[i * n + q];
          qq += A[i * n + q] * A[i * n + q];
        }
        if (!(fabs(pq) > 1e-15 * sqrt(pp * qq))) continue;
        turned = 1;
        rotation(pp, pq, qq, &co, &si);
        rotate(A, p, q, m, n, co, si);
        rotate(V, p, q, n, n, co, si);
      }
  }
}

/* Column `at` of U (m, columns) becomes a unit vector orthogonal to the columns before it. */
static void complete(double *U, int64_t m, int64_t columns, int64_t at) {
  for (int64_t e = 0; e < m; e++) {
    double size = 0;
    for (int64_t i = 0; i < m; i++) U[i * columns + at] = i == e;
    for (int pass = 0; pass < 2; pass++)
      for (int64_t j = 0; j < at; j++) {
        double s = 0;
        for (int64_t i = 0; i < m; i++) s += U[i * columns + j] * U[i * columns + at];
        for (int64_t i = 0; i < m; i++) U[i * columns + at] -= s * U[i * columns + j];
      }
    for (int64_t i = 0; i < m; i++) size += U[i * columns + at] * U[i * columns + at];
    if (size < 0.5 / (double)m) continue;
    for (int64_t i = 0; i < m; i++) U[i * columns + at] /= sqrt(size);
    return;
  }
}

/* Singular values into s, largest first; A's columns become unit vectors in U (m, columns). */
static void collect(double *A, int64_t m, int64_t n, double *V, double *s, double *U,
                    int64_t columns) {
  for (int64_t j = 0; j < n; j++) {
    s[j] = 0;
    for (int64_t i = 0; i < m; i++) s[j] += A[i * n + j] * A[i * n + j];
    s[j] = sqrt(s[j]);
  }
  for (int64_t j = 0; j < n; j++) {
    int64_t best = j;
    for (int64_t i = j + 1; i < n; i++)
      if (s[i] > s[best]) best = i;
    double t = s[j];
    s[j] = s[best];
    s[best] = t;
    swap_columns(A, m, n, j, best);
    swap_columns(V, n, n, j, best);
  }
  for (int64_t j = 0; j < columns; j++) {
    if (j >= n || !(s[j] > 1e-14 * s[0])) {
      complete(U, m, columns, j);
    } else {
      for (int64_t i = 0; i < m; i++) U[i * columns + j] = A[i * n + j] / s[j];
    }
  }
}

/* A wide matrix is done as its transpose: U and V change places. */
static void svd_one(nn_call *c, int64_t k) {
  int64_t rows = nn_matrix_rows(c->in_shape[0]), width = nn_matrix_columns(c->in_shape[0]);
  int wide = width > rows;
  int64_t m = wide ? width : rows, n = wide ? rows : width, columns = c->attrs->i[0] ? m : n;
  double *A = c->scratch, *V = A + m * n, *U = V + n * n, *s = U + m * columns;
  const float *x = input(c, k);
  for (int64_t i = 0; i < m * n; i++) A[i] = wide ? x[i % n * width + i / n] : x[i];
  for (int64_t i = 0; i < n * n; i++) V[i] = i / n == i % n;
  orthogonalize(A, m, n, V);
  collect(A, m, n, V, s, U, columns);
  int64_t left = wide ? n : columns, right = wide ? columns : n;
  float *u = (float *)c->out[0] + k * rows * left, *vt = (float *)c->out[2] + k * right * width;
  const double *L = wide ? V : U, *R = wide ? U : V;
  for (int64_t i = 0; i < rows * left; i++) u[i] = (float)L[i];
  for (int64_t i = 0; i < right * width; i++) vt[i] = (float)R[i % width * right + i / width];
  for (int64_t i = 0; i < n; i++) ((float *)c->out[1])[k * n + i] = (float)s[i];
}

static void svd_forward(nn_call *c) {
  for (int64_t k = 0; k < nn_matrix_count(c->in_shape[0]); k++) svd_one(c, k);
}

static void svd_backward(nn_call *c) {
  int64_t m = nn_matrix_rows(c->in_shape[0]), n = nn_matrix_columns(c->in_shape[0]);
  int64_t left = nn_matrix_columns(c->out_shape[0]), right = nn_matrix_rows(c->out_shape[2]);
  if (c->dout[0] || c->dout[2])
    nn_fault(c->run, "svd: gradients go through the singular values alone");
  for (int64_t k = 0; c->din[0] && k < nn_matrix_count(c->in_shape[0]); k++) {
    const float *u = (const float *)c->out[0] + k * m * left;
    const float *vt = (const float *)c->out[2] + k * right * n;
    for (int64_t i = 0; i < m * n; i++) {
      double s = 0;
      for (int64_t t = 0; c->dout[1] && t < smaller(m, n); t++)
        s += (double)u[i / n * left + t] * c->dout[1][k * smaller(m, n) + t] * vt[t * n + i % n];
      nn_matrix_give(c, 0, k * m * n + i, s);
    }
  }
}

const nn_op nn_op_svd = {.name = "svd", .n_in = 1, .n_out = 3,
                         .flags = NN_OP_USES_Y | NN_OP_LATE, .shape = svd_shape,
                         .forward = svd_forward, .backward = svd_backward, .scratch = room};
