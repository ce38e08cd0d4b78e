#include "ops/block.h"

#include <string.h>

typedef struct ranges {
  nn_range f;
  void *arg;
  int64_t n, grain;
} ranges;

static void run_range(void *arg, int64_t i) {
  const ranges *r = arg;
  int64_t from = i * r->grain, to = from + r->grain;
  r->f(r->arg, from, to < r->n ? to : r->n);
}

void nn_ranges_run(nn_run *run, int64_t n, int64_t grain, nn_range f, void *arg) {
  if (grain <= 0) grain = NN_RANGE;
  if (n < 2 * grain) {
    if (n > 0) f(arg, 0, n);
    return;
  }
  ranges r = {f, arg, n, grain};
  nn_pool_run(run->pool, run_range, &r, (n + grain - 1) / grain);
}

/* --- reading ------------------------------------------------------------------------------- */

static void flat_f32(float *y, const void *x, nn_dtype t, int64_t at, int64_t n) {
  if (t == NN_I32)
    for (int64_t i = 0; i < n; i++) y[i] = (float)((const int32_t *)x)[at + i];
  else if (t == NN_U8)
    for (int64_t i = 0; i < n; i++) y[i] = ((const uint8_t *)x)[at + i];
  else
    memcpy(y, (const float *)x + at, (size_t)n * sizeof *y);
}

static void same_f32(float *y, const void *x, nn_dtype t, int64_t at, int64_t n) {
  float v;
  flat_f32(&v, x, t, at, 1);
  for (int64_t i = 0; i < n; i++) y[i] = v;
}

static void flat_i32(int32_t *y, const void *x, nn_dtype t, int64_t at, int64_t n) {
  if (t == NN_U8)
    for (int64_t i = 0; i < n; i++) y[i] = ((const uint8_t *)x)[at + i];
  else
    memcpy(y, (const int32_t *)x + at, (size_t)n * sizeof *y);
}

static void same_i32(int32_t *y, const void *x, nn_dtype t, int64_t at, int64_t n) {
  int32_t v;
  flat_i32(&v, x, t, at, 1);
  for (int64_t i = 0; i < n; i++) y[i] = v;
}

const float *nn_array_f32(const void *data, nn_dtype t, int64_t at, int64_t n, float *buf) {
  if (t == NN_F32) return (const float *)data + at;
  flat_f32(buf, data, t, at, n);
  return buf;
}

const float *nn_input_f32(const nn_call *c, int i, float *buf) {
  const nn_shape *s = c->in_shape[i];
  return nn_array_f32(c->in[i], s->dtype, 0, nn_shape_size(s), buf);
}

size_t nn_input_f32_bytes(const nn_shape *s) {
  if (s->dtype == NN_F32) return 0;
  return (nn_size_mul((size_t)nn_shape_size(s), sizeof(float)) + 63) & ~(size_t)63;
}

/* --- broadcasting -------------------------------------------------------------------------- */

void nn_spread_init(nn_spread *s, const void *data, const nn_shape *in, const nn_shape *out) {
  s->data = data, s->dtype = in->dtype;
  int64_t size = nn_shape_size(out);
  s->flat = nn_shape_size(in) == size;
  s->ndim = 0, s->dim[0] = 1, s->step[0] = 0;
  if (s->flat) return;
  int64_t step = 1;
  for (int k = 1; k <= out->ndim; k++) { /* from the last axis; stored last first */
    int64_t n = out->dim[out->ndim - k], m = k <= in->ndim ? in->dim[in->ndim - k] : 1;
    if (n == 1) continue;
    int64_t here = m == 1 ? 0 : step;
    int last = s->ndim - 1;
    if (last >= 0 && here == s->step[last] * s->dim[last]) {
      s->dim[last] *= n;
    } else {
      s->dim[s->ndim] = n, s->step[s->ndim] = here;
      s->ndim++;
    }
    step *= m;
  }
}

/* Walks the runs along the last merged axis: `same` where its step is 0, else `flat`. */
#define SPREAD(type, flat_fn, same_fn)                                              \
  int64_t index[NN_MAX_DIMS], from = 0, rest = at, done = 0;                        \
  index[0] = 0;                                                                     \
  for (int k = 0; k < s->ndim; k++) {                                               \
    index[k] = rest % s->dim[k], rest /= s->dim[k];                                 \
    from += index[k] * s->step[k];                                                  \
  }                                                                                 \
  while (done < n) {                                                                \
    int64_t run = s->dim[0] - index[0];                                             \
    if (run > n - done) run = n - done;                                             \
    (s->step[0] == 0 ? same_fn : flat_fn)(buf + done, s->data, s->dtype, from, run); \
    done += run;                                                                    \
    from -= index[0] * s->step[0], index[0] = 0;                                    \
    for (int k = 1; k < s->ndim; k++) {                                             \
      from += s->step[k];                                                           \
      if (++index[k] < s->dim[k]) break;                                            \
      from -= s->step[k] * s->dim[k], index[k] = 0;                                 \
    }                                                                               \
  }                                                                                 \
  return buf

/* A row under every row: once around, then what stands there already, twice as much each time. */
static void repeat_row(const nn_spread *s, int64_t at, int64_t n, float *buf) {
  int64_t period = s->dim[0], skip = at % period, first = period - skip;
  if (first > n) first = n;
  flat_f32(buf, s->data, s->dtype, skip, first);
  int64_t done = period < n ? period : n;
  if (done > first) flat_f32(buf + first, s->data, s->dtype, 0, done - first);
  while (done < n) {
    int64_t more = done < n - done ? done : n - done;
    memcpy(buf + done, buf, (size_t)more * sizeof *buf);
    done += more;
  }
}

const float *nn_spread_f32(const nn_spread *s, int64_t at, int64_t n, float *buf) {
  if (s->flat) return nn_array_f32(s->data, s->dtype, at, n, buf);
  if (s->ndim == 2 && s->step[0] == 1 && s->step[1] == 0) {
    repeat_row(s, at, n, buf);
    return buf;
  }
  SPREAD(float, flat_f32, same_f32);
}

const int32_t *nn_spread_i32(const nn_spread *s, int64_t at, int64_t n, int32_t *buf) {
  if (s->flat && s->dtype == NN_I32) return (const int32_t *)s->data + at;
  if (s->flat) {
    flat_i32(buf, s->data, s->dtype, at, n);
    return buf;
  }
  SPREAD(int32_t, flat_i32, same_i32);
}

/* --- sums ---------------------------------------------------------------------------------- */

void nn_put(float *dst, const float *src, int acc, int64_t n) {
  if (acc)
    nn_kernels_get()->add(dst, dst, src, (size_t)n);
  else if (n > 0 && dst != src)
    memcpy(dst, src, (size_t)n * sizeof *dst);
}

double nn_sum_all(const float *x, int64_t n) {
  const nn_kernels *k = nn_kernels_get();
  double total = 0;
  for (int64_t i = 0; i < n; i += NN_BLOCK)
    total += k->sum(x + i, (size_t)(n - i < NN_BLOCK ? n - i : NN_BLOCK));
  return total;
}

enum { FEW_ROWS = 128, ROWS = 32 }; /* more than few are summed by 32 and added up in double */

static void sum_columns(float *out, const float *x, int64_t m, int64_t n, int64_t stride) {
  const nn_kernels *k = nn_kernels_get();
  if (n == stride) {
    k->sum_rows(out, x, 0, (size_t)m, (size_t)n);
    return;
  }
  memcpy(out, x, (size_t)n * sizeof *out);
  for (int64_t i = 1; i < m; i++) k->add(out, out, x + i * stride, (size_t)n);
}

void nn_sum_rows(float *out, const float *x, int acc, int64_t m, int64_t n) {
  if (m <= FEW_ROWS) {
    nn_kernels_get()->sum_rows(out, x, acc, (size_t)m, (size_t)n);
    return;
  }
  float part[NN_BLOCK];
  double total[NN_BLOCK];
  for (int64_t j = 0; j < n; j += NN_BLOCK) {
    int64_t cols = n - j < NN_BLOCK ? n - j : NN_BLOCK;
    for (int64_t k = 0; k < cols; k++) total[k] = acc ? out[j + k] : 0;
    for (int64_t i = 0; i < m; i += ROWS) {
      sum_columns(part, x + i * n + j, m - i < ROWS ? m - i : ROWS, cols, n);
      for (int64_t k = 0; k < cols; k++) total[k] += part[k];
    }
    for (int64_t k = 0; k < cols; k++) out[j + k] = (float)total[k];
  }
}

/* Any mixture of summed and kept axes: runs of the last axis (where it is kept and the one before
 * it is summed, of both) one after the other. */
static void sum_runs(float *dst, const nn_spread *s, const float *src, int64_t total) {
  int both = s->ndim > 1 && s->step[0] != 0 && s->step[1] == 0;
  int64_t index[NN_MAX_DIMS] = {0}, to = 0, n = s->dim[0], rows = both ? s->dim[1] : 1;
  for (int64_t at = 0; at < total; at += rows * n) {
    if (s->step[0] == 0)
      dst[to] += (float)nn_sum_all(src + at, n);
    else
      nn_sum_rows(dst + to, src + at, 1, rows, n);
    for (int d = 1 + both; d < s->ndim; d++) {
      to += s->step[d];
      if (++index[d] < s->dim[d]) break;
      to -= s->step[d] * s->dim[d], index[d] = 0;
    }
  }
}

void nn_sum_to(float *dst, const nn_shape *ds, const float *src, const nn_shape *ss, int acc) {
  int64_t n = nn_shape_size(ds), total = nn_shape_size(ss);
  nn_spread s;
  nn_spread_init(&s, NULL, ds, ss);
  if (s.flat) {
    nn_put(dst, src, acc, n);
  } else if (n == 1) {
    *dst = (float)(nn_sum_all(src, total) + (acc ? *dst : 0));
  } else {
    if (!acc) memset(dst, 0, (size_t)n * sizeof *dst);
    sum_runs(dst, &s, src, total);
  }
}

/* --- shapes -------------------------------------------------------------------------------- */

nn_dtype nn_dtype_join(nn_dtype a, nn_dtype b) {
  return a == NN_F32 || b == NN_F32 ? NN_F32 : NN_I32;
}

nn_status nn_shape_keep(const nn_shape *in, nn_dtype t, nn_shape *out) {
  *out = *in;
  out->dtype = t;
  return NN_OK;
}

nn_status nn_shape_join(const char *op, int n, const nn_shape *const *in, nn_shape *out,
                        nn_error *e) {
  *out = *in[0];
  for (int i = 1; i < n; i++) {
    nn_shape both;
    if (!nn_shape_broadcast(out, in[i], &both)) {
      char a[160], b[160];
      return nn_fail(e, NN_ERR_SHAPE, "%s: the shapes %s and %s do not broadcast", op,
                     nn_shape_text(out, a, sizeof a), nn_shape_text(in[i], b, sizeof b));
    }
    both.dtype = nn_dtype_join(out->dtype, in[i]->dtype);
    *out = both;
  }
  return NN_OK;
}

int nn_axis(const nn_shape *s, int64_t axis) {
  if (axis < 0) axis += s->ndim;
  return axis >= 0 && axis < s->ndim ? (int)axis : -1;
}

nn_lines nn_lines_of(const nn_shape *s, int axis) {
  nn_lines l = {1, s->dim[axis], 1};
  for (int i = 0; i < axis; i++) l.outer *= s->dim[i];
  for (int i = axis + 1; i < s->ndim; i++) l.inner *= s->dim[i];
  return l;
}

nn_status nn_axis_fail(const char *op, const nn_shape *s, int64_t axis, nn_error *e) {
  char text[160];
  return nn_fail(e, NN_ERR_ARGUMENT, "%s: axis %d is out of range for the shape %s", op,
                 (int)(axis >= 0 ? axis + 1 : axis), nn_shape_text(s, text, sizeof text));
}
