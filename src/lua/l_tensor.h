/* Tensors as userdata: the elements lie behind the header, so the collector sees their true size.
 *
 * A view keeps the userdata that owns its memory in user value 1. A traced tensor has no data: it
 * names a value of a graph, which user value 1 keeps alive.
 */
#ifndef NN_LUA_TENSOR_H
#define NN_LUA_TENSOR_H

#include "lua/context.h"

#define NNL_TENSOR "nn.Tensor"

typedef struct nnl_tensor {
  nn_tensor t;       /* t.data is NULL for a traced tensor */
  int value;         /* its value in the graph `graph` (a serial number), else -1 */
  uint32_t graph;
  int is_variable;   /* storage of a variable: recorded as such, never as a constant */
  int read_only;     /* over a mapped file: assigning elements raises; views inherit it */
} nnl_tensor;

/* Tells the collector of so many bytes that are about to be used, beside those that it sees. It
 * lets garbage grow to the size of what is alive, which is much where that is a data set: large
 * tensors count twice, and half as much garbage piles up. */
void nnl_hurry_collector(lua_State *L, size_t bytes);
/* New zero-filled row-major tensor, pushed. Raises when memory ends. */
nnl_tensor *nnl_push_tensor(lua_State *L, const nn_shape *s);
/* A row-major tensor over memory that the userdata at `owner` keeps alive; pushed. */
nnl_tensor *nnl_push_view(lua_State *L, int owner, const nn_shape *s, void *data);
/* A view with strides, pushed. */
nnl_tensor *nnl_push_strided(lua_State *L, int owner, const nn_tensor *t);

nnl_tensor *nnl_to_tensor(lua_State *L, int i);    /* NULL when it is none */
nnl_tensor *nnl_check_tensor(lua_State *L, int i); /* raises */
/* Leaves at stack index i (absolute) a tensor made from what is there: a tensor, a variable (its
 * field `tensor`), a number, a boolean or nested tables. dtype -1: float32 for Lua data. */
nnl_tensor *nnl_coerce(lua_State *L, int i, int dtype);
/* A contiguous version of the tensor at absolute index i: itself, or a copy that replaces it. */
nnl_tensor *nnl_contiguous(lua_State *L, int i);
/* Reads a shape (array of integers) at index i; `what` begins the error text. */
void nnl_check_shape(lua_State *L, int i, nn_shape *s, const char *what);
int nnl_opt_dtype(lua_State *L, int i, int otherwise);

/* "(2, 3)" into the Lua state's buffer of the caller. */
#define NNL_SHAPE_TEXT 160

/* Each adds its functions to the table on the top of the stack. */
void l_tensor_open(lua_State *L);
void l_tensor_query_open(lua_State *L);
void l_apply_open(lua_State *L);
void l_graph_open(lua_State *L);
void l_graph_list_open(lua_State *L);
void l_plan_open(lua_State *L);

#endif
