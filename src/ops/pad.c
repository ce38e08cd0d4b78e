/* pad: more elements around the array.
 * attrs.i = {mode, before of each axis (1..8), after (9..16)}, attrs.f = {value of mode 0}.
 * Modes: 0 constant; 1 reflect (without repeating the edge); 2 symmetric (repeating it).
 *
 * Every axis has its own map from a position of y to one of x, -1 for "outside". The gradient adds
 * dy back along the maps in row-major order of y.
 */
#include <string.h>

#include "ops/ops.h"

enum { CONSTANT, REFLECT, SYMMETRIC };

static nn_status shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                       nn_error *e) {
  (void)n_in;
  *out = *in[0];
  for (int i = 0; i < out->ndim; i++) {
    int64_t n = out->dim[i], before = a->i[1 + i], after = a->i[9 + i];
    int64_t most = a->i[0] == REFLECT ? n - 1 : n;
    int64_t larger = before > after ? before : after;
    if (before < 0 || after < 0 || before > INT32_MAX || after > INT32_MAX)
      return nn_fail(e, NN_ERR_ARGUMENT, "pad: axis %d gets %lld and %lld, expected 0 to %d",
                     i + 1, (long long)before, (long long)after, INT32_MAX);
    if (a->i[0] != CONSTANT && larger > most)
      return nn_fail(e, NN_ERR_ARGUMENT, "pad: axis %d gets %lld, expected at most %lld", i + 1,
                     (long long)larger, (long long)most);
    out->dim[i] = n + before + after;
  }
  return nn_shape_check(out, e) == NN_OK ? NN_OK : nn_fail_in(e, "pad");
}

/* The position in an axis of n elements that stands at `at` (which may be outside), or -1. */
static int64_t source(int64_t mode, int64_t at, int64_t n) {
  if (at >= 0 && at < n) return at;
  if (mode == CONSTANT) return -1;
  int64_t edge = mode == SYMMETRIC ? 1 : 0;
  return at < 0 ? -at - edge : 2 * n - 2 - at + edge;
}

typedef struct walk {
  const nn_attrs *a;
  const nn_shape *x, *y;
  int64_t step[NN_MAX_DIMS]; /* elements of x under each axis */
  int axis, outside;
  int64_t at; /* element of x where the row starts */
} walk;

typedef void (*row_job)(const walk *w, char *y, void *arg);

/* Runs `job` for every row of y (its last axis). */
static char *rows(walk *w, int axis, int64_t at, int outside, char *y, row_job job, void *arg) {
  if (axis >= w->y->ndim - 1) {
    w->at = at, w->outside = outside;
    job(w, y, arg);
    return y + (w->y->ndim ? w->y->dim[axis] : 1) * (int64_t)nn_dtype_size(w->y->dtype);
  }
  for (int64_t i = 0; i < w->y->dim[axis]; i++) {
    int64_t from = source(w->a->i[0], i - w->a->i[1 + axis], w->x->dim[axis]);
    y = rows(w, axis + 1, at + from * w->step[axis], outside || from < 0, y, job, arg);
  }
  return y;
}

static void start(const nn_call *c, walk *w) {
  memset(w, 0, sizeof *w);
  w->a = c->attrs, w->x = c->in_shape[0], w->y = c->out_shape[0];
  int64_t step = 1;
  for (int i = w->x->ndim - 1; i >= 0; i--) {
    w->step[i] = step;
    step *= w->x->dim[i];
  }
}

static void fill(char *y, int64_t n, const nn_tensor *value) {
  size_t size = nn_dtype_size(value->shape.dtype);
  for (int64_t i = 0; i < n; i++) memcpy(y + (size_t)i * size, value->data, size);
}

typedef struct forward_arg {
  const char *x;
  nn_tensor value;
} forward_arg;

static void forward_row(const walk *w, char *y, void *arg) {
  const forward_arg *f = arg;
  int last = w->y->ndim - 1;
  size_t size = nn_dtype_size(w->y->dtype);
  if (last < 0) {
    memcpy(y, f->x, size);
    return;
  }
  int64_t n = w->x->dim[last], before = w->a->i[1 + last], total = w->y->dim[last];
  if (w->outside) {
    fill(y, total, &f->value);
    return;
  }
  const char *x = f->x + w->at * (int64_t)size;
  memcpy(y + (size_t)before * size, x, (size_t)n * size);
  for (int64_t i = 0; i < total; i++) {
    if (i == before) i += n;
    if (i >= total) break;
    int64_t from = source(w->a->i[0], i - before, n);
    if (from < 0) fill(y + (size_t)i * size, 1, &f->value);
    else memcpy(y + (size_t)i * size, x + (size_t)from * size, size);
  }
}

static void forward(nn_call *c) {
  walk w;
  double value[1];
  nn_shape scalar = {.dtype = c->out_shape[0]->dtype};
  forward_arg f = {.x = c->in[0]};
  if (nn_shape_size(c->out_shape[0]) == 0) return;
  nn_tensor_init(&f.value, &scalar, value);
  nn_tensor_set(&f.value, 0, c->attrs->f[0]);
  start(c, &w);
  rows(&w, 0, 0, 0, c->out[0], forward_row, &f);
}

typedef struct backward_arg {
  float *dx;
} backward_arg;

static void backward_row(const walk *w, char *y, void *arg) {
  float *dx = ((backward_arg *)arg)->dx + w->at;
  const void *row = y;
  const float *dy = row;
  int last = w->y->ndim - 1;
  if (w->outside) return;
  if (last < 0) {
    dx[0] += dy[0];
    return;
  }
  for (int64_t i = 0; i < w->y->dim[last]; i++) {
    int64_t from = source(w->a->i[0], i - w->a->i[1 + last], w->x->dim[last]);
    if (from >= 0) dx[from] += dy[i];
  }
}

static void backward(nn_call *c) {
  walk w;
  if (!c->din[0]) return;
  backward_arg b = {.dx = c->din[0]};
  if (!c->accumulate[0]) memset(b.dx, 0, nn_shape_bytes(c->in_shape[0]));
  if (nn_shape_size(c->out_shape[0]) == 0) return;
  start(c, &w);
  rows(&w, 0, 0, 0, (char *)c->dout[0], backward_row, &b);
}

const nn_op nn_op_pad = {.name = "pad", .n_in = 1, .n_out = 1, .shape = shape, .forward = forward,
                         .backward = backward};
