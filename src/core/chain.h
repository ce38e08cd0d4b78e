/* Chains of dense layers of at most 8 units: a whole pass over such a network, forward or backward,
 * is one call. What lies between the layers stays in the first-level cache, turned so that the rows
 * of the batch are the lanes of a vector and none is idle, however few the units. The rows of the
 * first input are read where they lie, in any order.
 *
 * Every number has the bits that nn_gemm_nn, nn_gemm_tn, nn_gemm_nt and sum_rows give layer by
 * layer.
 */
#ifndef NN_CORE_CHAIN_H
#define NN_CORE_CHAIN_H

#include "core/gemm.h"

#define NN_CHAIN_UNITS 8   /* the most units of a layer */
#define NN_CHAIN_LAYERS 16 /* the most layers */

typedef struct nn_chain_layer {
  int64_t in, units;
  nn_act act;
  const float *w, *bias; /* borrowed: (in, units), and (units) or NULL */
  float *dw, *dbias;     /* borrowed: overwritten by the backward pass; NULL: not wanted */
} nn_chain_layer;

typedef struct nn_chain {
  int n;
  int64_t rows;
  int64_t padded; /* rows, up to a multiple of 16 */
  int backward;   /* the forward pass keeps what the backward pass needs */
  nn_chain_layer layer[NN_CHAIN_LAYERS];
  float *y;        /* borrowed: (rows, units of the last layer) */
  const float *dy; /* borrowed: its gradient */
  const float **x; /* arena: where the rows of the first input begin, `padded` of them */
  float *turned;   /* arena: each layer's output, (8, padded) */
  float *by_rows;  /* arena: the same, (padded, 8), with a 1 behind the units */
  float *d[2];     /* arena: gradients on their way down, (8, padded) */
} nn_chain;

/* Whether a product of these sizes is better off here: small, and one thread's work. */
int nn_chain_takes(int64_t rows, int64_t in, int64_t units);
/* Bytes of the arena, and its parts taken from it; n and rows are set. */
size_t nn_chain_bytes(const nn_chain *c);
void nn_chain_place(nn_chain *c, void *arena);
void nn_chain_forward(const nn_chain *c);
void nn_chain_backward(const nn_chain *c);

#endif
