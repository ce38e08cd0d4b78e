/* What ops on matrices (the last two axes) share. */
#ifndef NN_OPS_MATRIX_H
#define NN_OPS_MATRIX_H

#include "ops/op.h"

#define NN_SHAPE_TEXT 128

static inline int64_t nn_matrix_rows(const nn_shape *s) { return s->dim[s->ndim - 2]; }
static inline int64_t nn_matrix_columns(const nn_shape *s) { return s->dim[s->ndim - 1]; }

static inline int64_t nn_matrix_count(const nn_shape *s) {
  int64_t n = 1;
  for (int i = 0; i < s->ndim - 2; i++) n *= s->dim[i];
  return n;
}

static inline nn_status nn_matrix_check(const char *name, const nn_shape *s, nn_error *e) {
  if (s->ndim >= 2) return NN_OK;
  return nn_fail(e, NN_ERR_SHAPE, "%s: x has %d dimensions, expected 2 or more", name, s->ndim);
}

static inline nn_status nn_matrix_square(const char *name, const nn_shape *s, nn_error *e) {
  char text[NN_SHAPE_TEXT];
  if (nn_matrix_check(name, s, e) != NN_OK) return NN_ERR_SHAPE;
  if (nn_matrix_rows(s) == nn_matrix_columns(s)) return NN_OK;
  return nn_fail(e, NN_ERR_SHAPE, "%s: x is %s, expected square matrices", name,
                 nn_shape_text(s, text, sizeof text));
}

/* Gives d to element `at` of input i's gradient. */
static inline void nn_matrix_give(const nn_call *c, int i, int64_t at, double d) {
  float *to = c->din[i] + at;
  *to = (float)(c->accumulate[i] ? *to + d : d);
}

#endif
