/* What reductions share: the axes, the output with its axes kept, and reading it from the input. */
#ifndef NN_OPS_REDUCE_H
#define NN_OPS_REDUCE_H

#include "ops/block.h"

typedef struct reduction {
  const nn_call *c;
  const nn_shape *in;
  nn_shape kept;               /* the output's shape with 1 for every reduced axis */
  int64_t size, groups, count; /* elements, outputs, elements an output */
  nn_spread spread;            /* the outputs, as the input's elements see them */
} reduction;

int nn_is_reduced(const nn_attrs *a, int axis);
void nn_reduced_kept(const nn_attrs *a, const nn_shape *in, nn_shape *out);
nn_status nn_reduced_shape(const nn_attrs *a, const nn_shape *in, nn_dtype t, nn_shape *out);
reduction nn_reduction_of(const nn_call *c);
/* An array of r->groups floats, read in the input's shape. */
nn_spread nn_reduction_spread(const reduction *r, const float *grouped);
/* top (r->groups floats) = the largest of x's elements. */
void nn_reduced_max(float *top, const reduction *r, const float *x);

#endif
