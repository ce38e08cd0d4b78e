/* max_pool and avg_pool over (batch, axes..., channels). attrs.i: those of window.h, then {sizes of
 * the window (3), adaptive, output sizes (3)}. Padding never counts: a window is cut to the cells
 * there are.
 * adaptive 1: cell i of o cells over n elements is floor(i n / o) .. ceil((i + 1) n / o) - 1.
 *   max: the first of equal maxima gets the gradient; its place is kept for backward.
 *   avg: dx = dy / cells, summed over the windows that an element lies in.
 */
#include <math.h>
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"
#include "ops/window.h"

enum { SIZE = NN_W_MORE, ADAPTIVE = SIZE + 3, OUT_SIZE };

typedef struct pool_job {
  nn_window w;
  int adaptive;
  const nn_call *c;
  const float *x;
} pool_job;

static nn_status pool_init(pool_job *j, const nn_attrs *a, const nn_shape *x, nn_error *e) {
  int64_t one[3] = {1, 1, 1};
  j->adaptive = a->i[ADAPTIVE] != 0;
  nn_status s = nn_window_init(&j->w, "pool", a, x, j->adaptive ? one : a->i + SIZE, e);
  if (s != NN_OK || !j->adaptive) return s;
  for (int i = 0; i < j->w.axes; i++) {
    int64_t cells = a->i[OUT_SIZE + i];
    if (cells < 1) return nn_fail(e, NN_ERR_ARGUMENT, "pool: output_size is %d, expected above 0",
                                  (int)cells);
    j->w.out[3 - j->w.axes + i] = cells;
  }
  return NN_OK;
}

static nn_status pool_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  (void)n_in;
  pool_job j;
  nn_status s = pool_init(&j, a, in[0], e);
  if (s != NN_OK) return s;
  for (int k = 0; k < 3; k++)
    if (j.w.in[k] < 1) return nn_fail(e, NN_ERR_SHAPE, "pool: an axis has no elements");
  nn_window_shape(&j.w, j.w.c, out);
  return nn_shape_check(out, e) == NN_OK ? NN_OK : nn_fail_in(e, "pool");
}

static size_t pool_scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)a, (void)n_in;
  return nn_input_f32_bytes(in[0]);
}

static size_t max_saved(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  pool_job j;
  nn_error e;
  if (pool_init(&j, a, in[0], &e) != NN_OK) return 0;
  return nn_size_mul((size_t)(nn_window_positions(&j.w) * j.w.c), sizeof(int32_t));
}

static pool_job job_of(const nn_call *c) {
  pool_job j;
  nn_error e;
  memset(&j, 0, sizeof j);
  pool_init(&j, c->attrs, c->in_shape[0], &e); /* held by pool_shape */
  j.c = c;
  j.x = nn_input_f32(c, 0, c->scratch);
  return j;
}

/* The cells of output position p: from[k] .. to[k]-1; returns the image. */
static int64_t cells_of(const pool_job *j, int64_t p, int64_t from[3], int64_t to[3]) {
  const nn_window *w = &j->w;
  if (!j->adaptive) {
    int64_t image = nn_window_at(w, p, from);
    for (int k = 0; k < 3; k++) {
      to[k] = from[k] + w->size[k] < w->in[k] ? from[k] + w->size[k] : w->in[k];
      if (from[k] < 0) from[k] = 0;
    }
    return image;
  }
  for (int k = 2; k >= 0; k--) {
    int64_t i = p % w->out[k];
    p /= w->out[k];
    from[k] = i * w->in[k] / w->out[k];
    to[k] = ((i + 1) * w->in[k] + w->out[k] - 1) / w->out[k];
  }
  return p;
}

/* The cells of one output position, in order. */
typedef struct cells {
  int64_t from[3], to[3], at[3], image;
  int done;
} cells;

static cells cells_begin(const pool_job *j, int64_t p) {
  cells k = {.done = 0};
  k.image = cells_of(j, p, k.from, k.to);
  for (int i = 0; i < 3; i++) {
    k.at[i] = k.from[i];
    if (k.from[i] >= k.to[i]) k.done = 1;
  }
  return k;
}

/* The place of the next cell's first element in x, -1 behind the last cell. */
static int64_t cells_next(const pool_job *j, cells *k) {
  const nn_window *w = &j->w;
  if (k->done) return -1;
  int64_t row = (k->image * w->in[0] + k->at[0]) * w->in[1] + k->at[1];
  int64_t place = (row * w->in[2] + k->at[2]) * w->c;
  int i = 2;
  while (i >= 0 && ++k->at[i] == k->to[i]) {
    k->at[i] = k->from[i];
    i--;
  }
  k->done = i < 0;
  return place;
}

static float share_of(const cells *k) {
  int64_t n = 1;
  for (int i = 0; i < 3; i++) n *= k->to[i] - k->from[i];
  return n > 0 ? 1.0f / (float)n : 0;
}

static int64_t image_elements(const nn_window *w) { return w->in[0] * w->in[1] * w->in[2] * w->c; }

/* --- max ------------------------------------------------------------------------------------- */

static void max_range(void *arg, int64_t from, int64_t to) {
  const pool_job *j = arg;
  int64_t c = j->w.c, size = image_elements(&j->w);
  int32_t *kept = j->c->saved;
  for (int64_t p = from; p < to; p++) {
    float *y = (float *)j->c->out[0] + p * c;
    int32_t *where = kept + p * c;
    cells k = cells_begin(j, p);
    int first = 1;
    for (int64_t place; (place = cells_next(j, &k)) >= 0; first = 0) {
      const float *x = j->x + place;
      int32_t in_image = (int32_t)(place % size);
      for (int64_t i = 0; i < c; i++)
        if (first || x[i] > y[i] || (isnan(x[i]) && !isnan(y[i])))
          y[i] = x[i], where[i] = in_image + (int32_t)i;
    }
  }
}

static void max_forward(nn_call *c) {
  pool_job j = job_of(c);
  nn_ranges_run(c->run, nn_window_positions(&j.w), NN_RANGE / (j.w.c * 8) + 1, max_range, &j);
}

/* Images from .. to-1: no element belongs to two. */
static void max_back_range(void *arg, int64_t from, int64_t to) {
  const pool_job *j = arg;
  const nn_window *w = &j->w;
  int64_t size = image_elements(w), per_image = w->out[0] * w->out[1] * w->out[2] * w->c;
  const int32_t *kept = j->c->saved;
  for (int64_t n = from; n < to; n++) {
    float *dx = j->c->din[0] + n * size;
    if (!j->c->accumulate[0]) memset(dx, 0, (size_t)size * sizeof *dx);
    for (int64_t i = n * per_image; i < (n + 1) * per_image; i++) dx[kept[i]] += j->c->dout[0][i];
  }
}

static void max_backward(nn_call *c) {
  if (!c->din[0]) return;
  pool_job j = job_of(c);
  nn_ranges_run(c->run, j.w.n, 1, max_back_range, &j);
}

const nn_op nn_op_max_pool = {.name = "max_pool", .n_in = 1, .n_out = 1, .shape = pool_shape,
                              .forward = max_forward, .backward = max_backward,
                              .saved = max_saved, .scratch = pool_scratch};

/* --- avg ------------------------------------------------------------------------------------- */

static void avg_range(void *arg, int64_t from, int64_t to) {
  const pool_job *j = arg;
  int64_t c = j->w.c;
  for (int64_t p = from; p < to; p++) {
    float *y = (float *)j->c->out[0] + p * c;
    cells k = cells_begin(j, p);
    float share = share_of(&k);
    memset(y, 0, (size_t)c * sizeof *y);
    for (int64_t place; (place = cells_next(j, &k)) >= 0;)
      for (int64_t i = 0; i < c; i++) y[i] += j->x[place + i];
    for (int64_t i = 0; i < c; i++) y[i] *= share;
  }
}

static void avg_forward(nn_call *c) {
  pool_job j = job_of(c);
  nn_ranges_run(c->run, nn_window_positions(&j.w), NN_RANGE / (j.w.c * 8) + 1, avg_range, &j);
}

static void avg_back_range(void *arg, int64_t from, int64_t to) {
  const pool_job *j = arg;
  const nn_window *w = &j->w;
  int64_t size = image_elements(w), per_image = w->out[0] * w->out[1] * w->out[2];
  float *dx = j->c->din[0];
  if (!j->c->accumulate[0])
    memset(dx + from * size, 0, (size_t)((to - from) * size) * sizeof *dx);
  for (int64_t p = from * per_image; p < to * per_image; p++) {
    const float *dy = j->c->dout[0] + p * w->c;
    cells k = cells_begin(j, p);
    float share = share_of(&k);
    for (int64_t place; (place = cells_next(j, &k)) >= 0;)
      for (int64_t i = 0; i < w->c; i++) dx[place + i] += dy[i] * share;
  }
}

static void avg_backward(nn_call *c) {
  if (!c->din[0]) return;
  pool_job j = job_of(c);
  nn_ranges_run(c->run, j.w.n, 1, avg_back_range, &j);
}

const nn_op nn_op_avg_pool = {.name = "avg_pool", .n_in = 1, .n_out = 1, .shape = pool_shape,
                              .forward = avg_forward, .backward = avg_backward,
                              .scratch = pool_scratch};
