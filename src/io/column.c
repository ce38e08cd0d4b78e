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

size_t nn_column_pack(const nn_tensor *out, int64_t k, const double *x, size_t n) {
  int64_t columns = out->shape.dim[1];
  float *f = out->shape.dtype == NN_F32 ? (float *)out->data + k : NULL;
  for (size_t i = 0; i < n; i++) {
    if (isnan(x[i])) return i;
    if (f) f[(int64_t)i * columns] = (float)x[i];
    else nn_tensor_set(out, (int64_t)i * columns + k, x[i]);
  }
  return n;
}
