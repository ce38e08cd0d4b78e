/* The inside of a plan, for the files that build it. */
#ifndef NN_MODEL_PLAN_PARTS_H
#define NN_MODEL_PLAN_PARTS_H

#include "model/dense_chain.h"
#include "model/plan.h"

/* One op of the plan, with its pointers resolved. */
typedef struct nn_step {
  const nn_op *op;
  nn_call call;
} nn_step;

struct nn_plan {
  nn_alloc *alloc;
  nn_graph *graph; /* borrowed */
  nn_run *run;
  int n_steps, n_order, n_back, n_chains;
  nn_step *steps;     /* owned */
  nn_step **back;     /* owned: steps with a backward pass, in the order to run */
  nn_step **order; /* owned: steps in the order to run forward */
  nn_step **givers; /* owned: steps that can give a gradient in pieces */
  int n_givers;
  nn_dense_chain **chains; /* owned, and what they point to */
  nn_dense_chain **fed;    /* owned: the chain that reads input i where its rows lie, or NULL */
  char *tables;    /* owned: the pointer arrays of the calls */
  void **data;     /* owned: value -> its data */
  float **grad;    /* owned: value -> its gradient, NULL = none */
  char *arena;     /* owned */
  size_t arena_bytes;
  int n_inputs, n_outputs, n_wants, loss;
  int *inputs, *outputs; /* owned */
  void **own;            /* owned: the arena's buffer of each input */
  nn_want *wants;        /* owned copy */
  float *seed;           /* arena: gradient of the loss */
};

/* Marks while building, one per value. */
typedef struct nn_plan_marks {
  unsigned char *need;  /* value is used by what the plan must do */
  unsigned char *below; /* value depends on a wanted one: a gradient may pass */
  unsigned char *flow;  /* the loss depends on it along differentiable ops */
  int *uses;            /* consumers in the plan */
} nn_plan_marks;

/* Runs of narrow dense steps become one step each: see model/dense_chain.h. node_of: the node of
 * each step. Called when all pointers are resolved and the gradients routed. */
nn_status nn_plan_fuse(nn_plan *p, const nn_plan_marks *m, const int *node_of, nn_error *e);

/* Fills `givers`; called last. */
nn_status nn_plan_find_givers(nn_plan *p, nn_error *e);

#endif
