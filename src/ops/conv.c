/* conv and conv_transpose: correlation of (batch, axes..., channels) with a kernel, as products.
 *
 *   conv:            x, kernel (k..., c / groups, f), maybe bias (f) -> (batch, out..., f)
 *   conv_transpose:  x (batch, in..., f), kernel (k..., c, f) -> (batch, out..., c): the gradient
 *                    of the conv that maps its output to its input
 *   attrs.i: those of window.h, then {groups, nn_act} for conv; conv_transpose takes the attributes
 *   of that conv, then {-, -, sizes of its output (3)}.
 *
 * A row of `columns` holds what the window sees at one output position: k... x channels of a group,
 * and 0 in the padding. With C the columns of x, W the kernel as a matrix and Y the output:
 *   Y = C W,   dW = C' dY,   dC = dY W' and every element of dC is added to its place in dx.
 * Positions are taken in chunks of a fixed number, so that the columns fit the cache and the order
 * of every sum depends on the shapes alone.
 */
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"
#include "ops/window.h"

enum { GROUPS = NN_W_MORE, ACT, OUT_SIZE };

enum { CHUNK = 1 << 18 }; /* elements of the columns held at a time */

typedef struct geometry {
  nn_window w;
  int64_t groups, cg, f, fg; /* channels and filters, of a group too */
  int64_t k, chunk, total;   /* elements of a column row, positions of a chunk, of all */
} geometry;

static void finish(geometry *g, int64_t groups, int64_t filters) {
  g->groups = groups, g->cg = g->w.c / groups, g->f = filters, g->fg = filters / groups;
  g->k = g->w.size[0] * g->w.size[1] * g->w.size[2] * g->cg;
  g->total = nn_window_positions(&g->w);
  g->chunk = CHUNK / (g->k > 0 ? g->k : 1);
  if (g->chunk < 1) g->chunk = 1;
  if (g->chunk > g->total) g->chunk = g->total;
}

static nn_status conv_geometry(geometry *g, const nn_attrs *a, const nn_shape *x,
                               const nn_shape *kernel, nn_error *e) {
  int axes = (int)a->i[NN_W_AXES];
  char text[160];
  if (kernel->ndim != axes + 2 || kernel->dtype != NN_F32)
    return nn_fail(e, NN_ERR_SHAPE, "conv: kernel %s, expected %d float32 dimensions",
                   nn_shape_text(kernel, text, sizeof text), axes + 2);
  nn_status s = nn_window_init(&g->w, "conv", a, x, kernel->dim, e);
  if (s != NN_OK) return s;
  int64_t groups = a->i[GROUPS], filters = kernel->dim[axes + 1];
  if (groups < 1 || g->w.c % groups || filters % groups || kernel->dim[axes] != g->w.c / groups)
    return nn_fail(e, NN_ERR_SHAPE, "conv: kernel %s and %lld channels in %lld groups do not fit",
                   nn_shape_text(kernel, text, sizeof text), (long long)g->w.c, (long long)groups);
  finish(g, groups, filters);
  return NN_OK;
}

/* --- columns ------------------------------------------------------------------------------- */

typedef struct columns_job {
  const geometry *g;
  const float *x;
  int64_t first, group; /* of the chunk; whose channels */
  float *out;
} columns_job;

static int inside(int64_t at, int64_t n) { return at >= 0 && at < n; }

/* The window's cells along the last axis: in one piece where nothing lies between them. */
static float *copy_line(const geometry *g, const float *line, int64_t at, float *out) {
  const nn_window *w = &g->w;
  int64_t taps = w->size[2], step = w->dilation[2];
  if (step == 1 && g->groups == 1 && at >= 0 && at + taps <= w->in[2]) {
    memcpy(out, line + at * w->c, (size_t)(taps * w->c) * sizeof *out);
    return out + taps * w->c;
  }
  for (int64_t t = 0; t < taps; t++, out += g->cg) {
    int64_t place = at + t * step;
    if (inside(place, w->in[2])) memcpy(out, line + place * w->c, (size_t)g->cg * sizeof *out);
    else memset(out, 0, (size_t)g->cg * sizeof *out);
  }
  return out;
}

static void copy_columns(void *arg, int64_t from, int64_t to) {
  const columns_job *j = arg;
  const geometry *g = j->g;
  const nn_window *w = &g->w;
  for (int64_t p = from; p < to; p++) {
    int64_t at[3], image = nn_window_at(w, j->first + p, at);
    float *out = j->out + p * g->k;
    for (int64_t a = 0; a < w->size[0]; a++)
      for (int64_t b = 0; b < w->size[1]; b++) {
        int64_t d = at[0] + a * w->dilation[0], h = at[1] + b * w->dilation[1];
        int64_t row = (image * w->in[0] + d) * w->in[1] + h;
        int real = inside(d, w->in[0]) && inside(h, w->in[1]);
        if (real) {
          out = copy_line(g, j->x + row * w->in[2] * w->c + j->group * g->cg, at[2], out);
        } else {
          memset(out, 0, (size_t)(w->size[2] * g->cg) * sizeof *out);
          out += w->size[2] * g->cg;
        }
      }
  }
}

static void columns_of(nn_run *run, const geometry *g, const float *x, int64_t first, int64_t count,
                       int64_t group, float *out) {
  columns_job j = {.g = g, .x = x, .first = first, .group = group, .out = out};
  int64_t grain = NN_RANGE * 2 / (g->k + 1) + 1;
  nn_ranges_run(run, count, grain, copy_columns, &j);
}

/* Adds the columns of a chunk to their places. One image is one task: no place is shared. */
typedef struct places_job {
  const geometry *g;
  const float *columns;
  float *x;
  int64_t first, count, group;
} places_job;

static void add_position(const places_job *j, int64_t p) {
  const geometry *g = j->g;
  const nn_window *w = &g->w;
  int64_t at[3], image = nn_window_at(w, j->first + p, at);
  const float *from = j->columns + p * g->k;
  for (int64_t a = 0; a < w->size[0]; a++)
    for (int64_t b = 0; b < w->size[1]; b++) {
      int64_t d = at[0] + a * w->dilation[0], h = at[1] + b * w->dilation[1];
      if (!inside(d, w->in[0]) || !inside(h, w->in[1])) {
        from += w->size[2] * g->cg;
        continue;
      }
      float *line = j->x + (((image * w->in[0] + d) * w->in[1] + h) * w->in[2]) * w->c;
      for (int64_t t = 0; t < w->size[2]; t++, from += g->cg) {
        int64_t place = at[2] + t * w->dilation[2];
        float *to = line + place * w->c + j->group * g->cg;
        for (int64_t i = 0; i < g->cg && inside(place, w->in[2]); i++) to[i] += from[i];
      }
    }
}

/* Images from .. to-1 of those that the chunk touches. */
static void add_images(void *arg, int64_t from, int64_t to) {
  const places_job *j = arg;
  int64_t per_image = j->g->total / j->g->w.n, base = j->first / per_image;
  int64_t begin = (base + from) * per_image - j->first, end = (base + to) * per_image - j->first;
  if (begin < 0) begin = 0;
  if (end > j->count) end = j->count;
  for (int64_t p = begin; p < end; p++) add_position(j, p);
}

static void add_places(nn_run *run, const places_job *j) {
  int64_t per_image = j->g->total / j->g->w.n;
  int64_t images = (j->first + j->count - 1) / per_image - j->first / per_image + 1;
  nn_ranges_run(run, images, 1, add_images, (void *)(uintptr_t)j);
}

/* --- one filter a channel -------------------------------------------------------------------- */

/* A cell's channels lie side by side, so all of them are worked on at once, cell by cell. */
typedef struct depth_job {
  const geometry *g;
  const float *x, *w, *dy;
  float *y, *dx, *dw;
  int acc;
} depth_job;

static int is_depthwise(const geometry *g) { return g->groups > 1 && g->cg == 1 && g->fg == 1; }

/* Calls f for every cell that position p sees: its place in x and its place in the kernel. */
static void each_cell(const depth_job *j, int64_t p,
                      void (*f)(const depth_job *j, int64_t p, int64_t place, int64_t tap)) {
  const nn_window *w = &j->g->w;
  int64_t at[3], image = nn_window_at(w, p, at), tap = 0;
  for (int64_t a = 0; a < w->size[0]; a++)
    for (int64_t b = 0; b < w->size[1]; b++)
      for (int64_t t = 0; t < w->size[2]; t++, tap += w->c) {
        int64_t d = at[0] + a * w->dilation[0], h = at[1] + b * w->dilation[1];
        int64_t v = at[2] + t * w->dilation[2];
        if (!inside(d, w->in[0]) || !inside(h, w->in[1]) || !inside(v, w->in[2])) continue;
        f(j, p, (((image * w->in[0] + d) * w->in[1] + h) * w->in[2] + v) * w->c, tap);
      }
}

static void cell_forward(const depth_job *j, int64_t p, int64_t place, int64_t tap) {
  int64_t c = j->g->w.c;
  const float *x = j->x + place, *w = j->w + tap;
  float *restrict y = j->y + p * c;
  for (int64_t i = 0; i < c; i++) y[i] += x[i] * w[i];
}

static void cell_input(const depth_job *j, int64_t p, int64_t place, int64_t tap) {
  int64_t c = j->g->w.c;
  const float *dy = j->dy + p * c, *w = j->w + tap;
  float *restrict dx = j->dx + place;
  for (int64_t i = 0; i < c; i++) dx[i] += dy[i] * w[i];
}

static void cell_kernel(const depth_job *j, int64_t p, int64_t place, int64_t tap) {
  int64_t c = j->g->w.c;
  const float *dy = j->dy + p * c, *x = j->x + place;
  float *restrict dw = j->dw + tap;
  for (int64_t i = 0; i < c; i++) dw[i] += dy[i] * x[i];
}

static void depth_forward(void *arg, int64_t from, int64_t to) {
  const depth_job *j = arg;
  int64_t c = j->g->w.c;
  if (!j->acc) memset(j->y + from * c, 0, (size_t)((to - from) * c) * sizeof *j->y);
  for (int64_t p = from; p < to; p++) each_cell(j, p, cell_forward);
}

/* Images from .. to-1: no element belongs to two. */
static void depth_input(void *arg, int64_t from, int64_t to) {
  const depth_job *j = arg;
  int64_t per_image = j->g->total / j->g->w.n;
  for (int64_t p = from * per_image; p < to * per_image; p++) each_cell(j, p, cell_input);
}

/* --- the three products ---------------------------------------------------------------------- */

/* No copies where the window is one cell that steps over every element. */
static int is_pointwise(const geometry *g) {
  const nn_window *w = &g->w;
  for (int k = 0; k < 3; k++)
    if (w->size[k] != 1 || w->stride[k] != 1 || w->out[k] != w->in[k]) return 0;
  return g->groups == 1;
}

/* y (total, f) (+)= columns of x times w */
static void product(nn_run *run, const geometry *g, const float *x, const float *w, float beta,
                    float *columns, float *y) {
  if (is_depthwise(g)) {
    depth_job j = {.g = g, .x = x, .w = w, .y = y, .acc = beta != 0};
    nn_ranges_run(run, g->total, NN_RANGE / (g->k * g->w.c + 1) + 1, depth_forward, &j);
    return;
  }
  if (is_pointwise(g)) {
    nn_gemm_nn(run->gemm, g->total, g->f, g->k, x, g->k, w, g->f, beta, NULL, NN_ACT_LINEAR, y,
               g->f);
    return;
  }
  for (int64_t p = 0; p < g->total; p += g->chunk) {
    int64_t n = p + g->chunk < g->total ? g->chunk : g->total - p;
    for (int64_t i = 0; i < g->groups; i++) {
      columns_of(run, g, x, p, n, i, columns);
      nn_gemm_nn(run->gemm, n, g->fg, g->k, columns, g->k, w + i * g->fg, g->f, beta, NULL,
                 NN_ACT_LINEAR, y + p * g->f + i * g->fg, g->f);
    }
  }
}

typedef struct rows_job {
  float *y;
  const float *bias; /* NULL: none */
  int64_t f;
  nn_map1 act; /* NULL: linear */
} rows_job;

static void finish_rows(void *arg, int64_t from, int64_t to) {
  const rows_job *j = arg;
  float *y = j->y + from * j->f;
  size_t m = (size_t)(to - from), n = (size_t)j->f;
  if (j->bias) nn_kernels_get()->add_row(y, y, j->bias, m, n);
  if (j->act) j->act(y, y, m * n);
}

/* y = act(y + bias). The bias comes last, as in Keras: where the products and the bias cancel, the
 * sign of the rest decides what a relu lets through. */
static void add_bias(nn_run *run, const geometry *g, const float *bias, int64_t act, float *y) {
  const nn_kernels *k = nn_kernels_get();
  rows_job j = {.y = y, .bias = bias, .f = g->f};
  if (act == NN_ACT_RELU) j.act = k->relu;
  if (act == NN_ACT_SIGMOID) j.act = k->sigmoid;
  if (act == NN_ACT_TANH) j.act = k->tanh;
  if (j.bias || j.act) nn_ranges_run(run, g->total, NN_RANGE / (g->f + 1) + 1, finish_rows, &j);
}

/* dw (k, f) (+)= columns of x, transposed, times dy */
static void kernel_gradient(nn_run *run, const geometry *g, const float *x, const float *dy,
                            int acc, float *columns, float *dw) {
  if (g->total == 0) {
    if (!acc) memset(dw, 0, (size_t)(g->k * g->f) * sizeof *dw);
    return;
  }
  if (is_depthwise(g)) {
    depth_job j = {.g = g, .x = x, .dy = dy, .dw = dw};
    if (!acc) memset(dw, 0, (size_t)(g->k * g->f) * sizeof *dw);
    for (int64_t p = 0; p < g->total; p++) each_cell(&j, p, cell_kernel);
    return;
  }
  if (is_pointwise(g)) {
    nn_gemm_tn(run->gemm, g->k, g->f, g->total, x, g->k, dy, g->f, (float)acc, dw, g->f);
    return;
  }
  for (int64_t p = 0; p < g->total; p += g->chunk) {
    int64_t n = p + g->chunk < g->total ? g->chunk : g->total - p;
    for (int64_t i = 0; i < g->groups; i++) {
      columns_of(run, g, x, p, n, i, columns);
      nn_gemm_tn(run->gemm, g->k, g->fg, n, columns, g->k, dy + p * g->f + i * g->fg, g->f,
                 p > 0 || acc ? 1 : 0, dw + i * g->fg, g->f);
    }
  }
}

/* dx (+)= dy times w transposed, every column in its place */
static void input_gradient(nn_run *run, const geometry *g, const float *dy, const float *w, int acc,
                           float *columns, float *dx) {
  const nn_window *v = &g->w;
  if (g->total > 0 && is_pointwise(g)) {
    nn_gemm_nt(run->gemm, g->total, g->k, g->f, dy, g->f, w, g->f, (float)acc, dx, g->k);
    return;
  }
  if (!acc) memset(dx, 0, (size_t)(v->n * v->in[0] * v->in[1] * v->in[2] * v->c) * sizeof *dx);
  if (g->total > 0 && is_depthwise(g)) {
    nn_ranges_run(run, v->n, 1, depth_input, &(depth_job){.g = g, .w = w, .dy = dy, .dx = dx});
    return;
  }
  for (int64_t p = 0; p < g->total; p += g->chunk) {
    int64_t n = p + g->chunk < g->total ? g->chunk : g->total - p;
    for (int64_t i = 0; i < g->groups; i++) {
      places_job j = {.g = g, .columns = columns, .x = dx, .first = p, .count = n, .group = i};
      nn_gemm_nt(run->gemm, n, g->k, g->fg, dy + p * g->f + i * g->fg, g->f, w + i * g->fg, g->f, 0,
                 columns, g->k);
      add_places(run, &j);
    }
  }
}

static nn_status reserve_products(const geometry *g, nn_run *run, nn_error *e) {
  int64_t n = is_pointwise(g) ? g->total : g->chunk;
  nn_status s = nn_gemm_reserve(run->gemm, n, g->fg, g->k, e);
  if (s == NN_OK) s = nn_gemm_reserve(run->gemm, g->k, g->fg, n, e);
  if (s == NN_OK) s = nn_gemm_reserve(run->gemm, n, g->k, g->fg, e);
  return s;
}

static size_t columns_bytes(const geometry *g) {
  return nn_size_mul((size_t)(g->chunk * g->k), sizeof(float));
}

/* --- conv ------------------------------------------------------------------------------------ */

static nn_status conv_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  geometry g;
  if (n_in < 2 || n_in > 3)
    return nn_fail(e, NN_ERR_ARGUMENT, "conv: %d inputs, expected 2 or 3", n_in);
  nn_status s = conv_geometry(&g, a, in[0], in[1], e);
  if (s != NN_OK) return s;
  if (n_in == 3 && (nn_shape_size(in[2]) != g.f || in[2]->dtype != NN_F32))
    return nn_fail(e, NN_ERR_SHAPE, "conv: the bias does not have %lld elements", (long long)g.f);
  nn_window_shape(&g.w, g.f, out);
  return nn_shape_check(out, e) == NN_OK ? NN_OK : nn_fail_in(e, "conv");
}

static geometry conv_of(const nn_attrs *a, const nn_shape *const *in) {
  geometry g;
  nn_error e;
  memset(&g, 0, sizeof g);
  conv_geometry(&g, a, in[0], in[1], &e); /* held by conv_shape */
  return g;
}

/* Scratch: x as float32 where it is not; dy through the activation; the columns. */
static size_t conv_scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  geometry g = conv_of(a, in);
  size_t p = a->i[ACT] == NN_ACT_LINEAR ? 0 : nn_size_mul((size_t)(g.total * g.f), sizeof(float));
  return nn_size_add(nn_size_add(nn_input_f32_bytes(in[0]), p), columns_bytes(&g));
}

static nn_status conv_reserve(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_run *run,
                              nn_error *e) {
  (void)n_in;
  geometry g = conv_of(a, in);
  return reserve_products(&g, run, e);
}

static void conv_forward(nn_call *c) {
  geometry g = conv_of(c->attrs, c->in_shape);
  char *at = c->scratch;
  float *columns = (float *)(void *)(at + nn_input_f32_bytes(c->in_shape[0]));
  const float *x = nn_input_f32(c, 0, c->scratch);
  product(c->run, &g, x, c->in[1], 0, columns, c->out[0]);
  add_bias(c->run, &g, c->n_in == 3 ? c->in[2] : NULL, c->attrs->i[ACT], c->out[0]);
}

static const float *through_activation(const nn_call *c, float *p, int64_t n) {
  const nn_kernels *k = nn_kernels_get();
  const float *dy = c->dout[0], *y = c->out[0];
  switch (c->attrs->i[ACT]) {
    case NN_ACT_RELU: k->relu_grad(p, dy, y, 0, (size_t)n); return p;
    case NN_ACT_SIGMOID: k->sigmoid_grad(p, dy, y, 0, (size_t)n); return p;
    case NN_ACT_TANH: k->tanh_grad(p, dy, y, 0, (size_t)n); return p;
    default: return dy;
  }
}

static void conv_backward(nn_call *c) {
  geometry g = conv_of(c->attrs, c->in_shape);
  char *at = (char *)c->scratch + nn_input_f32_bytes(c->in_shape[0]);
  float *room = (float *)(void *)at;
  const float *dy = through_activation(c, room, g.total * g.f);
  float *columns = dy == room ? room + g.total * g.f : room;
  if (c->n_in == 3 && c->din[2]) nn_sum_rows(c->din[2], dy, c->accumulate[2], g.total, g.f);
  if (c->din[1])
    kernel_gradient(c->run, &g, nn_input_f32(c, 0, c->scratch), dy, c->accumulate[1], columns,
                    c->din[1]);
  if (c->din[0]) input_gradient(c->run, &g, dy, c->in[1], c->accumulate[0], columns, c->din[0]);
}

const nn_op nn_op_conv = {.name = "conv", .n_in = -1, .n_out = 1, .flags = NN_OP_USES_Y,
                          .shape = conv_shape, .forward = conv_forward, .backward = conv_backward,
                          .scratch = conv_scratch, .reserve = conv_reserve};

/* --- conv_transpose -------------------------------------------------------------------------- */

/* The conv from (batch, out..., c) to x: attributes and geometry. */
static nn_status transpose_geometry(geometry *g, const nn_attrs *a, const nn_shape *x,
                                    const nn_shape *kernel, nn_error *e) {
  int axes = (int)a->i[NN_W_AXES];
  nn_shape big = {.dtype = NN_F32, .ndim = axes + 2};
  if (axes < 1 || axes > 3 || x->ndim != axes + 2 || kernel->ndim != axes + 2)
    return nn_fail(e, NN_ERR_SHAPE, "conv_transpose: expected %d dimensions", axes + 2);
  if (kernel->dtype != NN_F32 || kernel->dim[axes + 1] != x->dim[axes + 1])
    return nn_fail(e, NN_ERR_SHAPE, "conv_transpose: the kernel is for %lld channels, not %lld",
                   (long long)kernel->dim[axes + 1], (long long)x->dim[axes + 1]);
  big.dim[0] = x->dim[0], big.dim[axes + 1] = kernel->dim[axes];
  for (int i = 0; i < axes; i++) big.dim[1 + i] = a->i[OUT_SIZE + i];
  if (nn_shape_check(&big, e) != NN_OK) return nn_fail_in(e, "conv_transpose");
  nn_status s = nn_window_init(&g->w, "conv_transpose", a, &big, kernel->dim, e);
  if (s != NN_OK) return s;
  for (int i = 0; i < axes; i++)
    if (g->w.out[3 - axes + i] != x->dim[1 + i])
      return nn_fail(e, NN_ERR_SHAPE, "conv_transpose: the output's sizes do not fit the input's");
  finish(g, 1, x->dim[axes + 1]);
  return NN_OK;
}

static nn_status transpose_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                                 nn_shape *out, nn_error *e) {
  (void)n_in;
  geometry g = {.total = 0};
  nn_status s = transpose_geometry(&g, a, in[0], in[1], e);
  if (s != NN_OK) return s;
  out->dtype = NN_F32, out->ndim = in[0]->ndim;
  out->dim[0] = g.w.n, out->dim[out->ndim - 1] = g.w.c;
  for (int i = 0; i < g.w.axes; i++) out->dim[1 + i] = a->i[OUT_SIZE + i];
  return NN_OK;
}

static geometry transpose_of(const nn_attrs *a, const nn_shape *const *in) {
  geometry g;
  nn_error e;
  memset(&g, 0, sizeof g);
  transpose_geometry(&g, a, in[0], in[1], &e); /* held by transpose_shape */
  return g;
}

static size_t transpose_scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  geometry g = transpose_of(a, in);
  return nn_size_add(nn_input_f32_bytes(in[0]), columns_bytes(&g));
}

static nn_status transpose_reserve(const nn_attrs *a, int n_in, const nn_shape *const *in,
                                   nn_run *run, nn_error *e) {
  (void)n_in;
  geometry g = transpose_of(a, in);
  return reserve_products(&g, run, e);
}

static float *behind_input(const nn_call *c) {
  return (float *)(void *)((char *)c->scratch + nn_input_f32_bytes(c->in_shape[0]));
}

static void transpose_forward(nn_call *c) {
  geometry g = transpose_of(c->attrs, c->in_shape);
  const float *x = nn_input_f32(c, 0, c->scratch);
  input_gradient(c->run, &g, x, c->in[1], 0, behind_input(c), c->out[0]);
}

static void transpose_backward(nn_call *c) {
  geometry g = transpose_of(c->attrs, c->in_shape);
  float *columns = behind_input(c);
  if (c->din[1])
    kernel_gradient(c->run, &g, c->dout[0], nn_input_f32(c, 0, c->scratch), c->accumulate[1],
                    columns, c->din[1]);
  if (c->din[0])
    product(c->run, &g, c->dout[0], c->in[1], (float)c->accumulate[0], columns, c->din[0]);
}

const nn_op nn_op_conv_transpose = {.name = "conv_transpose", .n_in = 2, .n_out = 1,
                                    .shape = transpose_shape, .forward = transpose_forward,
                                    .backward = transpose_backward, .scratch = transpose_scratch,
                                    .reserve = transpose_reserve};
