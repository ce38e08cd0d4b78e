#include "ops/index.h"

#include <stdio.h>

int64_t nn_index_read(const void *data, nn_dtype t, int64_t k) {
  if (t == NN_I32) return ((const int32_t *)data)[k];
  if (t == NN_U8) return ((const uint8_t *)data)[k];
  float v = ((const float *)data)[k];
  return v > -9e18f && v < 9e18f ? (int64_t)v : INT64_MIN;
}

int64_t nn_index_place(int64_t number, int64_t n, int base) {
  int64_t at = number - base;
  if (base == NN_POSITIONS && number < 0) at = number >= -n ? number + n : -1;
  return at >= 0 && at < n ? at : -1;
}

/* " at row 1, column 2" and the like. */
static void place_text(const nn_shape *s, int64_t k, char *buf, size_t size) {
  int64_t at[NN_MAX_DIMS];
  for (int i = s->ndim - 1; i >= 0; i--) {
    at[i] = k % s->dim[i] + 1;
    k /= s->dim[i];
  }
  size_t n = 0;
  buf[0] = 0;
  if (s->ndim == 1) {
    snprintf(buf, size, " at position %lld", (long long)at[0]);
  } else if (s->ndim == 2) {
    snprintf(buf, size, " at row %lld, column %lld", (long long)at[0], (long long)at[1]);
  } else {
    for (int i = 0; i < s->ndim && n + 24 < size; i++)
      n += (size_t)snprintf(buf + n, size - n, "%s%lld", i ? ", " : " at (", (long long)at[i]);
    if (n) snprintf(buf + n, size - n, ")");
  }
}

void nn_index_fault(nn_run *run, const char *op, const void *index, const nn_shape *s, int64_t k,
                    int64_t n, int base) {
  char where[240];
  long long number = nn_index_read(index, s->dtype, k);
  place_text(s, k, where, sizeof where);
  if (base == NN_TOKENS)
    nn_fault(run, "Embedding: token %lld%s, expected 0 to %lld", number, where, (long long)n - 1);
  else
    nn_fault(run, "%s: index %lld%s, expected 1 to %lld", op, number, where, (long long)n);
}
