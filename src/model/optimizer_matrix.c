/* The rules that look at a whole variable: Lamb's norms, Adafactor's row and column means (Shazeer
 * and Stern 2018), Muon's Newton-Schulz iteration (Jordan 2024), each as Keras 3.15 has it.
 */
#include "model/optimizer_matrix.h"

#include <math.h>

#include "core/kernels.h"
#include "core/real.h"

/* --- Lamb ------------------------------------------------------------------------------------ */

/* mul: -lr ratio of the segment */
static void move(nn_opt *o, const nn_opt_part *p, float x) {
  (void)x;
  nn_opt_seg *s = &o->seg[p->seg];
  if (s->has_grad) nn_kernels_get()->axpy(s->w + p->at, s->mul, s->g + p->at, p->n);
}

void nn_opt_finish_lamb(nn_opt *o, float lr) {
  int64_t part = 0;
  nn_opt_sum_weights(o);
  for (int i = 0; i < o->n_seg; i++)
    o->seg[i].mul = sqrtf((float)nn_opt_next_sum(o, &part, i));
  nn_opt_sum_gradients(o);
  part = 0;
  for (int i = 0; i < o->n_seg; i++) {
    float w = o->seg[i].mul, r = sqrtf((float)nn_opt_next_sum(o, &part, i));
    o->seg[i].mul = -lr * (w > 0 && r > 0 ? w / r : 1);
  }
  nn_opt_run_each(o, move, 0);
}

/* --- Adafactor ------------------------------------------------------------------------------- */

static float rms_of(const float *x, size_t n) {
  return n ? sqrtf(nn_kernels_get()->sum_squares(x, n) / (float)n) : 0;
}

/* x = keep x + (1 - keep) y / count */
static void follow_mean(float *x, const float *y, float keep, size_t count, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = keep * x[i] + (1 - keep) * (y[i] / (float)count);
}

/* One matrix of the variable: r (rows), c (cols), v and g (rows, cols). */
static void factor(const nn_opt *o, const nn_opt_kernels *k, nn_opt_seg *s, size_t matrix,
                   float keep) {
  const int nd = s->shape.ndim;
  size_t rows = (size_t)s->shape.dim[nd - 2], cols = (size_t)s->shape.dim[nd - 1];
  size_t at = matrix * rows * cols;
  float *r = s->slot[0] + matrix * rows, *c = s->slot[1] + matrix * cols;
  float *row = o->scratch, *col = row + rows;
  k->square_sums(row, col, s->g + at, (float)o->hyper.epsilon_1, rows, cols);
  follow_mean(r, row, keep, cols, rows);
  follow_mean(c, col, keep, rows, cols);
  float mean = nn_kernels_get()->sum(r, rows) / (float)rows;
  for (size_t i = 0; i < rows; i++)
    k->factored(s->g + at + i * cols, s->slot[2] + at + i * cols, c, r[i] / mean, cols);
}

void nn_opt_run_adafactor(nn_opt *o, const nn_opt_kernels *k, float lr, int64_t t) {
  const nn_opt_hyper *h = &o->hyper;
  float root = 1 / sqrtf((float)t);
  float rho = fminf(lr, root);
  float keep = 1 - (float)nn_pow((double)t, (double)(float)h->beta_2_decay);
  for (int i = 0; i < o->n_seg; i++) {
    nn_opt_seg *s = &o->seg[i];
    if (!s->has_grad || s->n == 0) continue;
    float alpha = fmaxf((float)h->epsilon_2, rms_of(s->w, s->n)) * rho;
    if (s->shape.ndim >= 2) {
      size_t area = (size_t)(s->shape.dim[s->shape.ndim - 1] * s->shape.dim[s->shape.ndim - 2]);
      for (size_t m = 0; m < s->n / area; m++) factor(o, k, s, m, keep);
    } else {
      k->unfactored(s->g, s->slot[2], keep, (float)h->epsilon_1, s->n);
    }
    float over = rms_of(s->g, s->n) / (float)h->clip_threshold;
    nn_kernels_get()->axpy(s->w, -alpha / (over > 1 ? over : 1), s->g, s->n);
  }
}

/* --- Muon ------------------------------------------------------------------------------------ */

/* square (k, k) = x x' or x' x, whichever is the smaller */
static void gram(nn_gemm *g, const float *x, int64_t rows, int64_t cols, float *square) {
  if (rows <= cols) nn_gemm_nt(g, rows, rows, cols, x, cols, x, cols, 0, square, rows);
  else nn_gemm_tn(g, cols, cols, rows, x, cols, x, cols, 0, square, cols);
}

/* y = a x + B x (or x B), B = b A + c A A, A the smaller square of x. Keras transposes a tall x and
 * multiplies from the left; B is symmetric, so that is x B. */
static void iterate(nn_opt *o, const float *x, float *y, float *two_squares, int64_t rows,
                    int64_t cols) {
  const nn_kernels *v = nn_kernels_get();
  const nn_opt_hyper *h = &o->hyper;
  int64_t k = rows < cols ? rows : cols;
  size_t area = (size_t)(k * k), n = (size_t)(rows * cols);
  float *a = two_squares, *b = a + ((area + 15) & ~(size_t)15);
  gram(o->gemm, x, rows, cols, a);
  nn_gemm_nn(o->gemm, k, k, k, a, k, a, k, 0, NULL, NN_ACT_LINEAR, b, k);
  v->mul_scalar(b, b, (float)h->muon_c, area);
  v->axpy(b, (float)h->muon_b, a, area);
  v->mul_scalar(y, x, (float)h->muon_a, n);
  if (rows <= cols)
    nn_gemm_nn(o->gemm, rows, cols, k, b, k, x, cols, 1, NULL, NN_ACT_LINEAR, y, cols);
  else
    nn_gemm_nn(o->gemm, rows, cols, k, x, cols, b, k, 1, NULL, NN_ACT_LINEAR, y, cols);
}

/* w -= lr sqrt(max(rows, cols)) rms_rate orthogonal(g) */
static void orthogonal_step(nn_opt *o, nn_opt_seg *s, float lr) {
  const nn_kernels *v = nn_kernels_get();
  const nn_opt_hyper *h = &o->hyper;
  int64_t rows = s->shape.dim[0], cols = s->shape.dim[1], k = rows < cols ? rows : cols;
  float *x = s->g, *y = o->scratch + 2 * (((size_t)(k * k) + 15) & ~(size_t)15);
  v->mul_scalar(x, x, 1 / (sqrtf(v->sum_squares(x, s->n)) + 1e-7f), s->n);
  for (int i = 0; i < (int)h->ns_steps; i++) {
    iterate(o, x, y, o->scratch, rows, cols);
    float *t = x;
    x = y, y = t;
  }
  float rate = isnan(h->rms_rate)
                   ? 1 : sqrtf((float)(rows > cols ? rows : cols)) * (float)h->rms_rate;
  v->axpy(s->w, -lr * rate, x, s->n);
}

void nn_opt_run_muon(nn_opt *o, const nn_opt_kernels *k, const nn_opt_coef *muon,
                     const nn_opt_coef *adam, nn_opt_form form) {
  int64_t part = 0;
  for (int i = 0; i < o->n_seg; i++) {
    nn_opt_seg *s = &o->seg[i];
    int64_t first = part;
    while (part < o->n_part && o->part[part].seg == i) part++;
    nn_opt_rule rule = s->alt ? NN_RULE_ADAM : NN_RULE_MUON;
    k->rule[form][rule](s->alt ? adam : muon, o->seg, o->part + first, part - first);
    if (!s->alt && s->has_grad && s->n) orthogonal_step(o, s, muon->lr);
  }
}
