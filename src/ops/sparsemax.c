/* sparsemax along an axis (attrs.i[0], 0-based), after Martins and Astudillo 2016, as Keras 3.15
 * computes it. With z sorted downwards and its running sums c, the support is every k with k z_k >
 * c_k - 1, and
 *   y = [x - tau]+,  tau = (the sum of c over the support - 1) / K,  K its size
 * (the paper's tau has c_K for that sum: the two agree where K = 1).
 * Backward, with G the sum of dy where x >= tau: that dy, and G (K + 1 - rank) / K less on the
 * support.
 */
#include <stdlib.h>

#include "ops/block.h"
#include "ops/ops.h"

typedef struct entry {
  float z;
  int32_t at; /* equal elements stay in order */
} entry;

static nn_status shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                       nn_error *e) {
  (void)n_in;
  if (nn_axis(in[0], a->i[0]) < 0) return nn_axis_fail("sparsemax", in[0], a->i[0], e);
  return nn_shape_keep(in[0], NN_F32, out);
}

static nn_lines lines_of(const nn_call *c) {
  return nn_lines_of(c->in_shape[0], nn_axis(c->in_shape[0], c->attrs->i[0]));
}

/* x as float32 where it is not, then one line to sort. */
static size_t scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  nn_lines l = nn_lines_of(in[0], nn_axis(in[0], a->i[0]));
  return nn_input_f32_bytes(in[0]) + (size_t)l.n * sizeof(entry);
}

static int downwards(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (x->z != y->z) return x->z < y->z ? 1 : -1;
  return x->at > y->at ? 1 : -1;
}

/* Sorts the line into `sorted`; gives tau and the support's size, which is a first part of it. */
static float threshold(entry *sorted, const float *x, int64_t n, int64_t step, int64_t *support) {
  for (int64_t j = 0; j < n; j++) sorted[j] = (entry){x[j * step], (int32_t)j};
  if (n > 0) qsort(sorted, (size_t)n, sizeof *sorted, downwards);
  double running = 0, sum = 0;
  *support = 0;
  for (int64_t k = 1; k <= n; k++) {
    running += sorted[k - 1].z;
    if (sorted[k - 1].z <= (running - 1) / (double)k) continue;
    sum += running;
    ++*support;
  }
  return (float)((sum - 1) / (double)*support);
}

typedef struct lines {
  nn_lines l;
  const float *x;
  entry *sorted;
} lines;

static lines begin(const nn_call *c) {
  lines s = {lines_of(c), nn_input_f32(c, 0, c->scratch), NULL};
  s.sorted = (entry *)(void *)((char *)c->scratch + nn_input_f32_bytes(c->in_shape[0]));
  return s;
}

static int64_t line_at(const nn_lines *l, int64_t line) {
  return line / l->inner * l->n * l->inner + line % l->inner;
}

static void forward(nn_call *c) {
  lines s = begin(c);
  float *y = c->out[0];
  for (int64_t line = 0; line < s.l.outer * s.l.inner; line++) {
    int64_t at = line_at(&s.l, line), support;
    float tau = threshold(s.sorted, s.x + at, s.l.n, s.l.inner, &support);
    for (int64_t j = 0; j < s.l.n; j++) {
      float v = s.x[at + j * s.l.inner] - tau;
      y[at + j * s.l.inner] = v > 0 ? v : 0;
    }
  }
}

static void backward_line(const nn_call *c, const lines *s, int64_t at) {
  int64_t support, step = s->l.inner;
  const float *x = s->x + at, *dy = c->dout[0] + at;
  float *dx = c->din[0] + at, tau = threshold(s->sorted, x, s->l.n, step, &support);
  double total = 0;
  for (int64_t j = 0; j < s->l.n; j++)
    if (x[j * step] - tau >= 0) total += dy[j * step];
  for (int64_t rank = 1; rank <= s->l.n; rank++) {
    int64_t j = s->sorted[rank - 1].at * step;
    double g = x[j] - tau >= 0 ? dy[j] : 0;
    if (rank <= support) g -= total * (double)(support + 1 - rank) / (double)support;
    dx[j] = (float)(c->accumulate[0] ? dx[j] + g : g);
  }
}

static void backward(nn_call *c) {
  if (!c->din[0]) return;
  lines s = begin(c);
  for (int64_t line = 0; line < s.l.outer * s.l.inner; line++)
    backward_line(c, &s, line_at(&s.l, line));
}

const nn_op nn_op_sparsemax = {.name = "sparsemax", .n_in = 1, .n_out = 1, .shape = shape,
                               .forward = forward, .backward = backward, .scratch = scratch};
