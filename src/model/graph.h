/* A graph: ops in the order in which they were called, referring to each other by index.
 *
 * A value is one array: an input, a constant, a variable, or an output of an op. Indices only grow,
 * so the array of nodes is in topological order by construction. Two users: tracing (a function
 * called on symbolic tensors; values have no data yet, a plan gives it) and the tape of
 * value_and_grad (ops run at once; values hold the data that they gave).
 */
#ifndef NN_MODEL_GRAPH_H
#define NN_MODEL_GRAPH_H

#include "core/alloc.h"
#include "ops/op.h"

typedef enum nn_value_kind {
  NN_VALUE_INPUT, /* fed before each run */
  NN_VALUE_CONST, /* fixed data */
  NN_VALUE_PARAM, /* a variable's storage */
  NN_VALUE_RESULT /* output `out` of node `node` */
} nn_value_kind;

typedef struct nn_value {
  nn_shape shape;
  nn_value_kind kind;
  int node, out;
  void *data; /* borrowed: constants, variables, and every value of a tape; else NULL */
} nn_value;

typedef struct nn_node {
  const nn_op *op; /* borrowed: the op table's */
  nn_attrs attrs;
  int n_in, n_out;
  int first_in;  /* nn_graph.edges[first_in ..]: the inputs' values */
  int first_out; /* values first_out .. first_out + n_out - 1 */
  void *saved;   /* borrowed: a tape's; else NULL */
} nn_node;

typedef struct nn_graph {
  nn_alloc *alloc;  /* borrowed */
  nn_node *nodes;   /* owned, like values and edges */
  nn_value *values;
  int *edges;
  int n_nodes, n_values, n_edges;
  int cap_nodes, cap_values, cap_edges;
} nn_graph;

void nn_graph_init(nn_graph *g, nn_alloc *a);
void nn_graph_clear(nn_graph *g);
/* Adds an input, constant or variable; gives its value index, -1 when memory ran out. */
int nn_graph_add_value(nn_graph *g, nn_value_kind kind, const nn_shape *s, void *data);
/* Adds a call of `op` on the given values; out (n_out shapes) was inferred by nn_op_infer. Gives
 * the index of the first output value, -1 when memory ran out. */
int nn_graph_add_node(nn_graph *g, const nn_op *op, const nn_attrs *attrs, int n_in, const int *in,
                      const nn_shape *out);

/* Checks the number of inputs and infers the outputs' shapes. */
nn_status nn_op_infer(const nn_op *op, const nn_attrs *attrs, int n_in, const nn_shape *const *in,
                      nn_shape *out, nn_error *e);

#define NN_MAX_OUT 4

#endif
