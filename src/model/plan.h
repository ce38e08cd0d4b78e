/* A plan: a graph compiled to run again and again. One arena holds activations, their gradients and
 * scratch; every pointer is resolved once, so a run is a loop over calls and allocates nothing.
 *
 * Only what the outputs, the loss and the effects (assignments to variables) need is kept.
 * Gradients flow from the scalar loss to the wanted variables along the values that lie between;
 * the last consumer of a value writes its gradient first, the others add.
 */
#ifndef NN_MODEL_PLAN_H
#define NN_MODEL_PLAN_H

#include "model/graph.h"

/* Where the gradient of a value goes. */
typedef struct nn_want {
  int value;
  float *grad;     /* borrowed: written by nn_plan_backward */
  int reached;     /* set by nn_plan_build: 0 when the loss does not depend on the value */
} nn_want;

typedef struct nn_plan_spec {
  int n_inputs, n_outputs, n_wants;
  const int *inputs;  /* values, in the order of nn_plan_set_input */
  const int *outputs; /* values whose data the caller reads */
  int loss;           /* scalar float32 value, -1: no backward pass */
  nn_want *wants;
  int keep_effects; /* 0: assignments are left out (pure inference) */
} nn_plan_spec;

typedef struct nn_plan nn_plan;

nn_status nn_plan_build(nn_alloc *a, nn_graph *g, nn_run *run, nn_plan_spec *spec, nn_plan **out,
                        nn_error *e);
void nn_plan_free(nn_plan *p);

/* The plan's own buffer of an input: copy rows there, or point the input elsewhere (contiguous, of
 * the input's shape, alive until the next set). NULL: back to the own buffer. */
void *nn_plan_input(nn_plan *p, int i);
void nn_plan_set_input(nn_plan *p, int i, void *data);
/* Has the next forward and backward pass read the rows of input i (float32) where they lie: row r
 * is rows + index[r] * size of a row, without index rows + r * size. `ahead` more indices follow
 * those of the batch: they are asked for early. Gives 0, having done nothing, where the plan needs
 * a copy. */
int nn_plan_feed(nn_plan *p, int i, const float *rows, const int32_t *index, int64_t ahead);
const nn_shape *nn_plan_input_shape(const nn_plan *p, int i);
int nn_plan_n_inputs(const nn_plan *p);
int nn_plan_n_outputs(const nn_plan *p);
/* Data of output i after nn_plan_forward. */
void *nn_plan_output(nn_plan *p, int i, const nn_shape **shape);

void nn_plan_forward(nn_plan *p);
/* After nn_plan_forward: gradients of loss * scale into the wants (zero where nothing flows). */
void nn_plan_backward(nn_plan *p, float scale);
/* From now on nn_plan_backward gives the gradient that goes to `grad` (one of the wants) to `t` in
 * pieces, where one op alone computes it, can do so, and alone reads the value; t NULL: no longer.
 * t->taken says after each pass whether it was given: nothing in `grad` matters then. Gives 0 where
 * it cannot be. */
int nn_plan_take(nn_plan *p, const float *grad, nn_gemm_taker *t);
size_t nn_plan_bytes(const nn_plan *p); /* of the arena */

#endif
