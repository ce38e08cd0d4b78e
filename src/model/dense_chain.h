/* Successive dense steps of a plan, each with at most 8 units, as one step (core/chain.h). What the
 * layers between give stays inside: only the last output is written.
 */
#ifndef NN_MODEL_DENSE_CHAIN_H
#define NN_MODEL_DENSE_CHAIN_H

#include "core/chain.h"
#include "ops/op.h"

typedef struct nn_dense_chain nn_dense_chain;

/* Whether a dense call may be part of one. */
int nn_dense_chain_takes(const nn_call *c);
/* n calls, each with the output of the one before as its input; borrowed, and read until freed.
 * NULL when there is no memory. */
nn_dense_chain *nn_dense_chain_new(nn_alloc *a, const nn_call *const *calls, int n);
void nn_dense_chain_free(nn_dense_chain *c);
/* See nn_plan_feed. */
void nn_dense_chain_feed(nn_dense_chain *c, const float *rows, const int32_t *index, int64_t ahead);

/* The step: its call's `saved` is the chain. Its gradients overwrite. */
extern const nn_op nn_op_dense_chain;

#endif
