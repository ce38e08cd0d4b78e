/* ctc: logits (N, T, C), labels (N, L) -> (N): the negative log probability that the T steps, with
 * repeats merged and blanks dropped, spell the labels (Graves et al. 2006, "Connectionist temporal
 * classification"). Class 0 is the blank and pads short rows of labels.
 *
 * The labels with blanks around them are S = 2 L + 1 states. alpha[t][s] is the log probability of
 * being in s at t with all before it right, beta[t][s] that of what follows from there. A state is
 * entered from itself, its predecessor, and from two before unless that would skip a blank between
 * equal labels. The gradient of a logit is softmax - the posterior of its class at that step; it is
 * computed with the loss and saved. A row that cannot be spelt in T steps has an infinite loss and
 * no gradient. Work is in double: sums of many small probabilities in logarithms.
 */
#include <math.h>
#include <string.h>

#include "core/real.h"
#include "ops/block.h"
#include "ops/ops.h"

static nn_status ctc_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                           nn_error *e) {
  (void)a, (void)n_in;
  char s[160], t[160];
  if (in[0]->ndim != 3 || in[0]->dtype != NN_F32 || in[1]->ndim != 2 ||
      in[0]->dim[0] != in[1]->dim[0] || in[0]->dim[2] < 1)
    return nn_fail(e, NN_ERR_SHAPE,
                   "ctc: logits %s and labels %s, expected (rows, steps, classes), (rows, length)",
                   nn_shape_text(in[0], s, sizeof s), nn_shape_text(in[1], t, sizeof t));
  *out = (nn_shape){.dtype = NN_F32, .ndim = 1, .dim = {in[0]->dim[0]}};
  return NN_OK;
}

static size_t ctc_saved(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)a, (void)n_in;
  return nn_shape_bytes(in[0]);
}

static size_t ctc_scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)a, (void)n_in;
  size_t steps = (size_t)in[0]->dim[1], states = 2 * (size_t)in[1]->dim[1] + 1;
  return sizeof(double) * (steps * (size_t)in[0]->dim[2] + 2 * steps * states) +
         sizeof(int32_t) * states;
}

/* One row at work. */
typedef struct spelling {
  int64_t steps, classes, states;
  double *log_p, *alpha, *beta; /* (T, C), (T, S), (T, S) */
  int32_t *state;               /* the class of each state */
} spelling;

static double log_add(double a, double b) {
  double top = a > b ? a : b;
  if (top == -INFINITY) return top;
  return top + nn_log1p(nn_exp(-fabs(a - b)));
}

static void log_softmax(const spelling *r, const float *z) {
  for (int64_t t = 0; t < r->steps; t++, z += r->classes) {
    double top = -INFINITY, sum = 0, *p = r->log_p + t * r->classes;
    for (int64_t k = 0; k < r->classes; k++) top = z[k] > top ? z[k] : top;
    for (int64_t k = 0; k < r->classes; k++) sum += nn_exp(z[k] - top);
    for (int64_t k = 0; k < r->classes; k++) p[k] = z[k] - top - nn_log(sum);
  }
}

/* A path may come to s from s - 2: not past a blank that parts equal labels. */
static int may_skip(const spelling *r, int64_t s) {
  return s >= 2 && r->state[s] != 0 && r->state[s] != r->state[s - 2];
}

static void forward_pass(const spelling *r) {
  int64_t n = r->states;
  for (int64_t t = 0; t < r->steps; t++) {
    double *now = r->alpha + t * n;
    for (int64_t s = 0; s < n; s++) {
      double from;
      if (t == 0) {
        from = s < 2 ? 0 : -INFINITY;
      } else {
        from = now[s - n];
        if (s >= 1) from = log_add(from, now[s - n - 1]);
        if (may_skip(r, s)) from = log_add(from, now[s - n - 2]);
      }
      now[s] = from + r->log_p[t * r->classes + r->state[s]];
    }
  }
}

static void backward_pass(const spelling *r) {
  int64_t n = r->states;
  for (int64_t t = r->steps - 1; t >= 0; t--) {
    double *now = r->beta + t * n;
    const double *next_p = r->log_p + (t + 1) * r->classes;
    for (int64_t s = 0; s < n; s++) {
      if (t == r->steps - 1) {
        now[s] = s >= n - 2 ? 0 : -INFINITY;
        continue;
      }
      double to = now[n + s] + next_p[r->state[s]];
      if (s + 1 < n) to = log_add(to, now[n + s + 1] + next_p[r->state[s + 1]]);
      if (s + 2 < n && may_skip(r, s + 2))
        to = log_add(to, now[n + s + 2] + next_p[r->state[s + 2]]);
      now[s] = to;
    }
  }
}

static double log_likelihood(const spelling *r) {
  if (r->steps == 0) return r->states == 1 ? 0 : -INFINITY;
  const double *last = r->alpha + (r->steps - 1) * r->states;
  double p = last[r->states - 1];
  return r->states > 1 ? log_add(p, last[r->states - 2]) : p;
}

static void gradient(const spelling *r, double log_total, float *dz) {
  for (int64_t t = 0; t < r->steps; t++, dz += r->classes) {
    double *p = r->log_p + t * r->classes;
    const double *a = r->alpha + t * r->states, *b = r->beta + t * r->states;
    for (int64_t k = 0; k < r->classes; k++) p[k] = nn_exp(p[k]);
    for (int64_t s = 0; s < r->states; s++) p[r->state[s]] -= nn_exp(a[s] + b[s] - log_total);
    for (int64_t k = 0; k < r->classes; k++) dz[k] = (float)p[k];
  }
}

/* The states of row i, of its labels other than the blank. 0 when a label is no class. */
static int read_labels(nn_call *c, int64_t i, spelling *r) {
  nn_tensor t = {.shape = *c->in_shape[1], .data = c->in[1]};
  int64_t length = c->in_shape[1]->dim[1], used = 0;
  r->state[0] = 0;
  for (int64_t j = 0; j < length; j++) {
    double id = nn_tensor_get(&t, i * length + j);
    if (id == 0) continue;
    if (!(id > 0 && id < (double)r->classes)) {
      nn_fault(c->run, "ctc: label %g in row %lld, expected 0 to %lld", id, (long long)i + 1,
               (long long)r->classes - 1);
      return 0;
    }
    used++;
    r->state[2 * used - 1] = (int32_t)id, r->state[2 * used] = 0;
  }
  r->states = 2 * used + 1;
  return 1;
}

static void ctc_forward(nn_call *c) {
  const nn_shape *z = c->in_shape[0];
  int64_t most = 2 * c->in_shape[1]->dim[1] + 1, per_row = z->dim[1] * z->dim[2];
  spelling r = {.steps = z->dim[1], .classes = z->dim[2], .log_p = c->scratch};
  r.alpha = r.log_p + per_row;
  r.beta = r.alpha + r.steps * most;
  r.state = (int32_t *)(r.beta + r.steps * most);
  float *loss = c->out[0], *dz = c->saved;
  for (int64_t i = 0; i < z->dim[0]; i++, dz += per_row) {
    loss[i] = 0;
    memset(dz, 0, sizeof *dz * (size_t)per_row);
    if (!read_labels(c, i, &r)) continue;
    log_softmax(&r, (const float *)c->in[0] + i * per_row);
    forward_pass(&r);
    double log_total = log_likelihood(&r);
    loss[i] = (float)-log_total;
    if (log_total == -INFINITY) continue;
    backward_pass(&r);
    gradient(&r, log_total, dz);
  }
}

static void ctc_backward(nn_call *c) {
  const nn_shape *z = c->in_shape[0];
  int64_t per_row = z->dim[1] * z->dim[2];
  const float *dz = c->saved;
  for (int64_t i = 0; c->din[0] && i < z->dim[0]; i++)
    for (int64_t k = i * per_row; k < (i + 1) * per_row; k++) {
      float g = dz[k] * c->dout[0][i];
      c->din[0][k] = c->accumulate[0] ? c->din[0][k] + g : g;
    }
}

const nn_op nn_op_ctc = {.name = "ctc", .n_in = 2, .n_out = 1, .shape = ctc_shape,
                         .forward = ctc_forward, .backward = ctc_backward, .saved = ctc_saved,
                         .scratch = ctc_scratch};
