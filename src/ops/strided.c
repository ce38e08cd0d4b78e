#include "ops/strided.h"

#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"

/* --- walking a reading ----------------------------------------------------------------------- */

/* Drops dims of size 1 and joins neighbours that one stride covers, so that rows are long. */
static void simplify(nn_reading *r) {
  int n = 0;
  for (int i = 0; i < r->ndim; i++) {
    if (r->dim[i] == 1) continue;
    if (n && r->stride[n - 1] == r->stride[i] * r->dim[i]) {
      r->dim[n - 1] *= r->dim[i];
      r->stride[n - 1] = r->stride[i];
    } else {
      r->dim[n] = r->dim[i];
      r->stride[n++] = r->stride[i];
    }
  }
  r->ndim = n;
}

static int is_empty(const nn_reading *r) {
  for (int i = 0; i < r->ndim; i++)
    if (r->dim[i] == 0) return 1;
  return 0;
}

/* Moves to the next row (all dims but the last `inner`); 0 after the last one. */
static int next_row(const nn_reading *r, int inner, int64_t *index, int64_t *at) {
  for (int i = r->ndim - 1 - inner; i >= 0; i--) {
    *at += r->stride[i];
    if (++index[i] < r->dim[i]) return 1;
    *at -= r->stride[i] * r->dim[i];
    index[i] = 0;
  }
  return 0;
}

static void copy_row4(uint32_t *y, const uint32_t *x, int64_t n, int64_t stride) {
  if (stride == 1) memcpy(y, x, (size_t)n * 4);
  else for (int64_t i = 0; i < n; i++) y[i] = x[i * stride];
}

static void copy_row1(uint8_t *y, const uint8_t *x, int64_t n, int64_t stride) {
  if (stride == 1) memcpy(y, x, (size_t)n);
  else for (int64_t i = 0; i < n; i++) y[i] = x[i * stride];
}

enum { TILE = 16 };

/* The last two dims (m, n), when the rows are far apart and neighbours stand in the column: square
 * tiles use each cache line that they fetch. */
static void copy_tiles(uint32_t *y, const uint32_t *x, int64_t m, int64_t n, int64_t sm,
                       int64_t sn) {
  for (int64_t i0 = 0; i0 < m; i0 += TILE)
    for (int64_t j0 = 0; j0 < n; j0 += TILE) {
      int64_t i1 = i0 + TILE < m ? i0 + TILE : m, j1 = j0 + TILE < n ? j0 + TILE : n;
      for (int64_t i = i0; i < i1; i++)
        for (int64_t j = j0; j < j1; j++) y[i * n + j] = x[i * sm + j * sn];
    }
}

static void copy_rows(const nn_reading *r, char *y, const char *x, size_t size) {
  int last = r->ndim - 1;
  int tiled = size == 4 && r->ndim > 1 && r->stride[last] != 1 && r->stride[last - 1] == 1;
  int64_t n = r->dim[last], at = r->offset, index[NN_MAX_DIMS] = {0};
  int64_t block = tiled ? n * r->dim[last - 1] : n;
  do {
    const void *from = x + at * (int64_t)size;
    void *to = y;
    if (tiled) copy_tiles(to, from, r->dim[last - 1], n, 1, r->stride[last]);
    else if (size == 4) copy_row4(to, from, n, r->stride[last]);
    else copy_row1(to, from, n, r->stride[last]);
    y += block * (int64_t)size;
  } while (next_row(r, tiled ? 2 : 1, index, &at));
}

void nn_reading_copy(const nn_reading *reading, void *y, const void *x, size_t size) {
  nn_reading r = *reading;
  if (is_empty(&r)) return;
  simplify(&r);
  if (r.ndim == 0) memcpy(y, (const char *)x + r.offset * (int64_t)size, size);
  else copy_rows(&r, y, x, size);
}

static void add_row(float *dx, const float *dy, int64_t n, int64_t stride) {
  if (stride == 1) {
    for (int64_t i = 0; i < n; i++) dx[i] += dy[i];
  } else if (stride == 0) {
    *dx += nn_kernels_get()->sum(dy, (size_t)n);
  } else {
    for (int64_t i = 0; i < n; i++) dx[i * stride] += dy[i];
  }
}

void nn_reading_grad(const nn_reading *reading, float *dx, const float *dy, int acc, int64_t n) {
  nn_reading r = *reading;
  if (!acc) memset(dx, 0, (size_t)n * sizeof *dx);
  if (is_empty(&r)) return;
  simplify(&r);
  int64_t at = r.offset, index[NN_MAX_DIMS] = {0};
  if (r.ndim == 0) {
    dx[at] += *dy;
    return;
  }
  int last = r.ndim - 1;
  do {
    add_row(dx + at, dy, r.dim[last], r.stride[last]);
    dy += r.dim[last];
  } while (next_row(&r, 1, index, &at));
}

/* --- what the ops share ---------------------------------------------------------------------- */

typedef void (*make_reading)(const nn_attrs *a, const nn_shape *x, const nn_shape *y,
                             nn_reading *r);

static void natural_strides(const nn_shape *s, int64_t *stride) {
  int64_t step = 1;
  for (int i = s->ndim - 1; i >= 0; i--) {
    stride[i] = step;
    step *= s->dim[i];
  }
}

static void start(const nn_shape *y, nn_reading *r) {
  r->ndim = y->ndim;
  memcpy(r->dim, y->dim, sizeof r->dim);
  r->offset = 0;
}

static void forward(nn_call *c, make_reading make) {
  nn_reading r;
  make(c->attrs, c->in_shape[0], c->out_shape[0], &r);
  nn_reading_copy(&r, c->out[0], c->in[0], nn_dtype_size(c->in_shape[0]->dtype));
}

static void backward(nn_call *c, make_reading make) {
  nn_reading r;
  if (!c->din[0]) return;
  make(c->attrs, c->in_shape[0], c->out_shape[0], &r);
  nn_reading_grad(&r, c->din[0], c->dout[0], c->accumulate[0], nn_shape_size(c->in_shape[0]));
}

/* --- transpose: attrs.i = the axis of x (from 0) that each axis of y is ---------------------- */

static nn_status transpose_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                                 nn_shape *out, nn_error *e) {
  (void)n_in;
  const nn_shape *x = in[0];
  int seen[NN_MAX_DIMS] = {0};
  *out = *x;
  for (int i = 0; i < x->ndim; i++) {
    int64_t from = a->i[i];
    if (from < 0 || from >= x->ndim)
      return nn_fail(e, NN_ERR_ARGUMENT, "transpose: axis %lld, expected 1 to %d",
                     (long long)from + 1, x->ndim);
    if (seen[from]++)
      return nn_fail(e, NN_ERR_ARGUMENT, "transpose: axis %d is named twice", (int)from + 1);
    out->dim[i] = x->dim[from];
  }
  return NN_OK;
}

static void transpose_reading(const nn_attrs *a, const nn_shape *x, const nn_shape *y,
                              nn_reading *r) {
  int64_t stride[NN_MAX_DIMS];
  start(y, r);
  natural_strides(x, stride);
  for (int i = 0; i < y->ndim; i++) r->stride[i] = stride[a->i[i]];
}

static void transpose_forward(nn_call *c) { forward(c, transpose_reading); }

/* The transposed reading of dy is the gradient: a copy in the order of dx. */
static void transpose_backward(nn_call *c) {
  if (!c->din[0]) return;
  if (c->accumulate[0]) {
    backward(c, transpose_reading);
    return;
  }
  nn_reading r;
  int64_t stride[NN_MAX_DIMS];
  start(c->in_shape[0], &r);
  natural_strides(c->out_shape[0], stride);
  for (int i = 0; i < r.ndim; i++) r.stride[c->attrs->i[i]] = stride[i];
  nn_reading_copy(&r, c->din[0], c->dout[0], sizeof(float));
}

const nn_op nn_op_transpose = {.name = "transpose", .n_in = 1, .n_out = 1,
                               .shape = transpose_shape, .forward = transpose_forward,
                               .backward = transpose_backward};

/* --- broadcast_to: attrs.i = {ndim, dims...} ------------------------------------------------- */

static nn_status broadcast_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                                 nn_shape *out, nn_error *e) {
  (void)n_in;
  nn_shape want = {.dtype = in[0]->dtype, .ndim = (int)a->i[0]}, all;
  char from[160], to[160];
  if (a->i[0] < 0 || a->i[0] > NN_MAX_DIMS)
    return nn_fail(e, NN_ERR_SHAPE, "broadcast_to: %lld dimensions, at most %d are possible",
                   (long long)a->i[0], NN_MAX_DIMS);
  memcpy(want.dim, a->i + 1, sizeof(int64_t) * (size_t)want.ndim);
  if (nn_shape_check(&want, e) != NN_OK) return nn_fail_in(e, "broadcast_to");
  if (!nn_shape_broadcast(in[0], &want, &all) || !nn_shape_same(&all, &want))
    return nn_fail(e, NN_ERR_SHAPE, "broadcast_to: shape %s does not broadcast to %s",
                   nn_shape_text(in[0], from, sizeof from), nn_shape_text(&want, to, sizeof to));
  *out = want;
  return NN_OK;
}

static void broadcast_reading(const nn_attrs *a, const nn_shape *x, const nn_shape *y,
                              nn_reading *r) {
  (void)a;
  int64_t stride[NN_MAX_DIMS];
  start(y, r);
  natural_strides(x, stride);
  for (int i = 0; i < y->ndim; i++) {
    int from = x->ndim - y->ndim + i;
    r->stride[i] = from >= 0 && x->dim[from] != 1 ? stride[from] : 0;
  }
}

static void broadcast_forward(nn_call *c) { forward(c, broadcast_reading); }
static void broadcast_backward(nn_call *c) {
  if (c->din[0])
    nn_sum_to(c->din[0], c->in_shape[0], c->dout[0], c->out_shape[0], c->accumulate[0]);
}

const nn_op nn_op_broadcast_to = {.name = "broadcast_to", .n_in = 1, .n_out = 1,
                                  .shape = broadcast_shape, .forward = broadcast_forward,
                                  .backward = broadcast_backward};

/* --- slice: attrs.i = {first of each axis (0..7), count (8..15), step, not 0 (16..23)} ------- */

static nn_status slice_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)n_in;
  const nn_shape *x = in[0];
  *out = *x;
  for (int i = 0; i < x->ndim; i++) {
    int64_t first = a->i[i], count = a->i[8 + i], step = a->i[16 + i];
    if (step == 0 || step == INT64_MIN)
      return nn_fail(e, NN_ERR_ARGUMENT, "slice: the step of axis %d is %lld", i + 1,
                     (long long)step);
    if (count < 0)
      return nn_fail(e, NN_ERR_ARGUMENT, "slice: axis %d has %lld elements, expected 0 or more",
                     i + 1, (long long)count);
    int64_t room = step > 0 ? x->dim[i] - 1 - first : first;
    int64_t pace = step > 0 ? step : -step;
    if (count && (first < 0 || first >= x->dim[i] || (count - 1) > room / pace))
      return nn_fail(e, NN_ERR_ARGUMENT,
                     "slice: axis %d has %lld elements, expected more for %lld from %lld on", i + 1,
                     (long long)x->dim[i], (long long)count, (long long)first + 1);
    out->dim[i] = count;
  }
  return NN_OK;
}

static void slice_reading(const nn_attrs *a, const nn_shape *x, const nn_shape *y, nn_reading *r) {
  int64_t stride[NN_MAX_DIMS];
  start(y, r);
  natural_strides(x, stride);
  for (int i = 0; i < y->ndim; i++) {
    r->stride[i] = y->dim[i] > 1 ? stride[i] * a->i[16 + i] : 0; /* any step fits a single one */
    if (y->dim[i] > 0) r->offset += stride[i] * a->i[i];
  }
}

static void slice_forward(nn_call *c) { forward(c, slice_reading); }
static void slice_backward(nn_call *c) { backward(c, slice_reading); }

const nn_op nn_op_slice = {.name = "slice", .n_in = 1, .n_out = 1, .shape = slice_shape,
                           .forward = slice_forward, .backward = slice_backward};

/* --- diagonal: attrs.i = {offset, axis1, axis2} (axes from 0); it becomes the last axis --- */

#define FAR ((int64_t)1 << 40) /* no diagonal is as far away, and sums with it do not overflow */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static nn_status diagonal_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                                nn_shape *out, nn_error *e) {
  (void)n_in;
  const nn_shape *x = in[0];
  int64_t k = a->i[0], p = a->i[1], q = a->i[2];
  if (x->ndim < 2)
    return nn_fail(e, NN_ERR_SHAPE, "diagonal: x has %d dimensions, expected 2 or more", x->ndim);
  if (p < 0 || q < 0 || p >= x->ndim || q >= x->ndim || p == q)
    return nn_fail(e, NN_ERR_ARGUMENT, "diagonal: axes %lld and %lld, expected two of 1 to %d",
                   (long long)p + 1, (long long)q + 1, x->ndim);
  if (k < -FAR || k > FAR)
    return nn_fail(e, NN_ERR_ARGUMENT, "diagonal: offset is %lld", (long long)k);
  int64_t rows = x->dim[p] + least(k, 0), columns = x->dim[q] - (k > 0 ? k : 0);
  int64_t n = least(rows, columns);
  out->dtype = x->dtype, out->ndim = 0;
  for (int i = 0; i < x->ndim; i++)
    if (i != p && i != q) out->dim[out->ndim++] = x->dim[i];
  out->dim[out->ndim++] = n > 0 ? n : 0;
  return NN_OK;
}

static void diagonal_reading(const nn_attrs *a, const nn_shape *x, const nn_shape *y,
                             nn_reading *r) {
  int64_t stride[NN_MAX_DIMS], k = a->i[0], p = a->i[1], q = a->i[2];
  int at = 0;
  start(y, r);
  natural_strides(x, stride);
  for (int i = 0; i < x->ndim; i++)
    if (i != p && i != q) r->stride[at++] = stride[i];
  r->stride[at] = stride[p] + stride[q];
  if (y->dim[y->ndim - 1] > 0) r->offset = k > 0 ? k * stride[q] : -k * stride[p];
}

static void diagonal_forward(nn_call *c) { forward(c, diagonal_reading); }
static void diagonal_backward(nn_call *c) { backward(c, diagonal_reading); }

const nn_op nn_op_diagonal = {.name = "diagonal", .n_in = 1, .n_out = 1, .shape = diagonal_shape,
                              .forward = diagonal_forward, .backward = diagonal_backward};
