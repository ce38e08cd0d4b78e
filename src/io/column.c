#include "io/column.h"

#include <math.h>

nn_column_fit nn_column_fit_of(const double *x, size_t n) {
  nn_column_fit f = {0, 0, 0, 1};
  size_t present = 0;
  double sum = 0, squares = 0, rows = n > 0 ? (double)n : 1;
  for (size_t i = 0; i < n; i++)
    if (!isnan(x[i])) sum += x[i], present++;
  f.fill = present ? sum / (double)present : 0;
  sum = 0;
  for (size_t i = 0; i < n; i++) sum += isnan(x[i]) ? f.fill : x[i];
  f.mean = sum / rows;
  for (size_t i = 0; i < n; i++) {
    double v = isnan(x[i]) ? f.fill : x[i];
    squares += (v - f.mean) * (v - f.mean);
    if (v != 0 && v != 1) f.zero_one = 0;
  }
  f.sd = sqrt(squares / rows);
  return f;
}

void nn_column_scale(double *out, const double *x, size_t n, double fill, double mean, double sd) {
  for (size_t i = 0; i < n; i++) out[i] = ((isnan(x[i]) ? fill : x[i]) - mean) / sd;
}

/* Rows at a time, so that the part of the matrix that they fill stays in the cache. */
enum { PACKED = 64 };

static int pack_rows(const nn_tensor *out, int64_t k, const double *x, int64_t from, int64_t to) {
  int64_t columns = out->shape.dim[1];
  int missing = 0;
  if (out->shape.dtype == NN_F32) {
    float *f = (float *)out->data + k;
    for (int64_t i = from; i < to; i++) {
      missing |= isnan(x[i]) != 0;
      f[i * columns] = (float)x[i];
    }
    return !missing;
  }
  for (int64_t i = from; i < to; i++) {
    if (isnan(x[i])) return 0;
    nn_tensor_set(out, i * columns + k, x[i]);
  }
  return 1;
}

int nn_columns_pack(const nn_tensor *out, const double *const *x, int64_t *column, int64_t *row) {
  int64_t rows = out->shape.dim[0], columns = out->shape.dim[1];
  int whole = 1;
  for (int64_t from = 0; whole && from < rows; from += PACKED)
    for (int64_t k = 0; k < columns; k++)
      whole &= pack_rows(out, k, x[k], from, from + PACKED < rows ? from + PACKED : rows);
  for (int64_t k = 0; !whole && k < columns; k++)
    for (int64_t i = 0; i < rows; i++)
      if (isnan(x[k][i])) return *column = k, *row = i, 0;
  return 1;
}
