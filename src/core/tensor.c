#include "core/tensor.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *name;
  size_t size;
} dtypes[] = {{"float32", 4}, {"int32", 4}, {"uint8", 1}};

size_t nn_dtype_size(nn_dtype t) { return dtypes[t].size; }
const char *nn_dtype_name(nn_dtype t) { return dtypes[t].name; }

int nn_dtype_find(const char *name) {
  for (int i = 0; i < 3; i++)
    if (strcmp(name, dtypes[i].name) == 0) return i;
  if (strcmp(name, "bool") == 0) return NN_U8;
  if (strcmp(name, "int64") == 0) return NN_I32;
  return -1;
}

int64_t nn_shape_size(const nn_shape *s) {
  int64_t n = 1;
  for (int i = 0; i < s->ndim; i++) n *= s->dim[i];
  return n;
}

size_t nn_shape_bytes(const nn_shape *s) {
  return (size_t)nn_shape_size(s) * nn_dtype_size(s->dtype);
}

int nn_shape_same(const nn_shape *a, const nn_shape *b) {
  if (a->ndim != b->ndim) return 0;
  for (int i = 0; i < a->ndim; i++)
    if (a->dim[i] != b->dim[i]) return 0;
  return 1;
}

nn_status nn_shape_check(const nn_shape *s, nn_error *e) {
  if (s->ndim < 0 || s->ndim > NN_MAX_DIMS)
    return nn_fail(e, NN_ERR_SHAPE, "%d dimensions, at most %d are possible", s->ndim, NN_MAX_DIMS);
  uint64_t n = nn_dtype_size(s->dtype);
  for (int i = 0; i < s->ndim; i++) {
    if (s->dim[i] < 0)
      return nn_fail(e, NN_ERR_SHAPE, "dimension %d is %lld, expected 0 or more", i + 1,
                     (long long)s->dim[i]);
    uint64_t d = s->dim[i] ? (uint64_t)s->dim[i] : 1;
    if (n > (uint64_t)(PTRDIFF_MAX / 2) / d)
      return nn_fail(e, NN_ERR_SHAPE, "a tensor of this shape does not fit in memory");
    n *= d;
  }
  return NN_OK;
}

const char *nn_shape_text(const nn_shape *s, char *buf, size_t n) {
  size_t at = (size_t)snprintf(buf, n, "(");
  for (int i = 0; i < s->ndim && at < n; i++)
    at += (size_t)snprintf(buf + at, n - at, "%s%lld", i ? ", " : "", (long long)s->dim[i]);
  if (at < n) snprintf(buf + at, n - at, ")");
  return buf;
}

int nn_shape_broadcast(const nn_shape *a, const nn_shape *b, nn_shape *out) {
  int n = a->ndim > b->ndim ? a->ndim : b->ndim;
  out->ndim = n;
  for (int i = 1; i <= n; i++) {
    int64_t da = i <= a->ndim ? a->dim[a->ndim - i] : 1;
    int64_t db = i <= b->ndim ? b->dim[b->ndim - i] : 1;
    if (da != db && da != 1 && db != 1) return 0;
    out->dim[n - i] = da == 1 ? db : da;
  }
  return 1;
}

void nn_tensor_init(nn_tensor *t, const nn_shape *s, void *data) {
  t->shape = *s;
  t->data = data;
  int64_t step = 1;
  for (int i = s->ndim - 1; i >= 0; i--) {
    t->stride[i] = step;
    step *= s->dim[i];
  }
}

int nn_tensor_is_contiguous(const nn_tensor *t) {
  int64_t step = 1;
  for (int i = t->shape.ndim - 1; i >= 0; i--) {
    if (t->shape.dim[i] != 1 && t->stride[i] != step) return 0;
    step *= t->shape.dim[i];
  }
  return 1;
}

double nn_tensor_get(const nn_tensor *t, int64_t offset) {
  switch (t->shape.dtype) {
    case NN_F32: return ((const float *)t->data)[offset];
    case NN_I32: return ((const int32_t *)t->data)[offset];
    default: return ((const uint8_t *)t->data)[offset];
  }
}

static double clamp(double v, double lo, double hi) {
  return isnan(v) ? 0 : v < lo ? lo : v > hi ? hi : v;
}

void nn_tensor_set(const nn_tensor *t, int64_t offset, double v) {
  switch (t->shape.dtype) {
    case NN_F32: ((float *)t->data)[offset] = (float)v; break;
    case NN_I32: ((int32_t *)t->data)[offset] = (int32_t)clamp(v, INT32_MIN, INT32_MAX); break;
    default: ((uint8_t *)t->data)[offset] = (uint8_t)clamp(v, 0, UINT8_MAX); break;
  }
}

/* One row along the last dimension. */
static void copy_row(const nn_tensor *d, int64_t od, int64_t sd, const nn_tensor *s, int64_t os,
                     int64_t ss, int64_t n) {
  size_t size = nn_dtype_size(d->shape.dtype);
  if (d->shape.dtype != s->shape.dtype) {
    for (int64_t i = 0; i < n; i++) nn_tensor_set(d, od + i * sd, nn_tensor_get(s, os + i * ss));
  } else if (sd == 1 && ss == 1) {
    memcpy((char *)d->data + (size_t)od * size, (char *)s->data + (size_t)os * size,
           (size_t)n * size);
  } else if (size == 4) {
    uint32_t *pd = (uint32_t *)d->data + od;
    const uint32_t *ps = (const uint32_t *)s->data + os;
    for (int64_t i = 0; i < n; i++) pd[i * sd] = ps[i * ss];
  } else {
    uint8_t *pd = (uint8_t *)d->data + od;
    const uint8_t *ps = (const uint8_t *)s->data + os;
    for (int64_t i = 0; i < n; i++) pd[i * sd] = ps[i * ss];
  }
}

void nn_tensor_copy(const nn_tensor *dst, const nn_tensor *src) {
  const nn_shape *s = &dst->shape;
  int64_t total = nn_shape_size(s), index[NN_MAX_DIMS] = {0}, od = 0, os = 0;
  if (total == 0) return;
  if (nn_tensor_is_contiguous(dst) && nn_tensor_is_contiguous(src)) {
    copy_row(dst, 0, 1, src, 0, 1, total);
    return;
  }
  int last = s->ndim - 1;
  int64_t n = s->dim[last];
  for (int64_t done = 0; done < total; done += n) {
    copy_row(dst, od, dst->stride[last], src, os, src->stride[last], n);
    for (int i = last - 1; i >= 0; i--) {
      od += dst->stride[i], os += src->stride[i];
      if (++index[i] < s->dim[i]) break;
      od -= dst->stride[i] * s->dim[i], os -= src->stride[i] * s->dim[i];
      index[i] = 0;
    }
  }
}
