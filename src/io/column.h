/* Columns of tables in double: what is fitted on them, and the way to a tensor.
 *
 * A missing cell is NaN. Sums run over the rows in order, in double, so that a fit does not depend
 * on the machine.
 */
#ifndef NN_IO_COLUMN_H
#define NN_IO_COLUMN_H

#include <stddef.h>

#include "core/tensor.h"

typedef struct nn_column_fit {
  double fill;  /* mean of the cells present; 0 without any */
  double mean;  /* after the missing cells became `fill` */
  double sd;    /* population standard deviation, after that too */
  int zero_one; /* every cell, after that, is 0 or 1 */
} nn_column_fit;

nn_column_fit nn_column_fit_of(const double *x, size_t n);
/* out = (x - mean) / sd, a missing cell counting as `fill`; out may be x. */
void nn_column_scale(double *out, const double *x, size_t n, double fill, double mean, double sd);
/* The columns x[0], x[1] ... side by side as a row-major matrix `out` of any dtype. Returns 1; or 0
 * and the first column that lacks a cell and its first such row, both from 0. */
int nn_columns_pack(const nn_tensor *out, const double *const *x, int64_t *column, int64_t *row);

#endif
