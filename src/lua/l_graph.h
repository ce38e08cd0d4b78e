/* A graph being recorded, as a userdata. User value 1 is a table that keeps alive what the graph
 * borrows: tensors of constants, variables and (on a tape) every result, by value index.
 */
#ifndef NN_LUA_GRAPH_H
#define NN_LUA_GRAPH_H

#include "lua/l_tensor.h"

#define NNL_GRAPH "nn.Graph"

typedef struct nnl_graph {
  nn_graph g;
  uint32_t serial;
  nnl_mode mode;
  /* what recording resumes when this one ends */
  nnl_mode outer_mode;
  struct nnl_graph *outer;
} nnl_graph;

nnl_graph *nnl_check_graph(lua_State *L, int i);
/* The value of the tensor at absolute index `i` in graph `gi` (absolute), added as a constant or a
 * variable when it is new there. */
int nnl_graph_value(lua_State *L, nnl_graph *graph, int gi, int i);

#endif
