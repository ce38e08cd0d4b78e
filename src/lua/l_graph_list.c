/* What a graph holds, as Lua tables, for what is written from it (ONNX, C):
 *
 *   contents(graph)       values, nodes. A value is {shape=, dtype=}, with data= (its tensor) and
 *                         variable= (whether it is one) when it is a constant or a variable. A
 *                         node is {op=, ints=, floats=, inputs={values}, outputs={values}}; values
 *                         are numbers in the list of values
 *   place_of(graph, t)    the value of a tensor, added as a constant when the graph has none
 */
#include "lua/l_graph.h"

static void push_value(lua_State *L, const nn_graph *g, int kept, int v) {
  const nn_value *value = &g->values[v];
  lua_createtable(L, 0, 4);
  lua_createtable(L, value->shape.ndim, 0);
  for (int d = 0; d < value->shape.ndim; d++) {
    lua_pushinteger(L, value->shape.dim[d]);
    lua_seti(L, -2, d + 1);
  }
  lua_setfield(L, -2, "shape");
  lua_pushstring(L, nn_dtype_name(value->shape.dtype));
  lua_setfield(L, -2, "dtype");
  if (value->kind != NN_VALUE_CONST && value->kind != NN_VALUE_PARAM) return;
  lua_rawgeti(L, kept, v + 1);
  lua_setfield(L, -2, "data");
  lua_pushboolean(L, value->kind == NN_VALUE_PARAM);
  lua_setfield(L, -2, "variable");
}

/* {from, from + 1, ...}, or the numbers at `list`, counted from 1. */
static void push_places(lua_State *L, const int *list, int from, int n) {
  lua_createtable(L, n, 0);
  for (int k = 0; k < n; k++) {
    lua_pushinteger(L, 1 + (list ? list[k] : from + k));
    lua_seti(L, -2, k + 1);
  }
}

static void push_node(lua_State *L, const nn_graph *g, const nn_node *n) {
  lua_createtable(L, 0, 5);
  lua_pushstring(L, n->op->name);
  lua_setfield(L, -2, "op");
  lua_createtable(L, NN_MAX_ATTRS, 0);
  for (int k = 0; k < NN_MAX_ATTRS; k++) {
    lua_pushinteger(L, n->attrs.i[k]);
    lua_seti(L, -2, k + 1);
  }
  lua_setfield(L, -2, "ints");
  lua_createtable(L, 8, 0);
  for (int k = 0; k < 8; k++) {
    lua_pushnumber(L, n->attrs.f[k]);
    lua_seti(L, -2, k + 1);
  }
  lua_setfield(L, -2, "floats");
  push_places(L, g->edges + n->first_in, 0, n->n_in);
  lua_setfield(L, -2, "inputs");
  push_places(L, NULL, n->first_out, n->n_out);
  lua_setfield(L, -2, "outputs");
}

static int l_graph_contents(lua_State *L) {
  const nn_graph *g = &nnl_check_graph(L, 1)->g;
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  lua_createtable(L, g->n_values, 0);
  for (int v = 0; v < g->n_values; v++) {
    push_value(L, g, 2, v);
    lua_seti(L, 3, v + 1);
  }
  lua_createtable(L, g->n_nodes, 0);
  for (int k = 0; k < g->n_nodes; k++) {
    push_node(L, g, &g->nodes[k]);
    lua_seti(L, 4, k + 1);
  }
  return 2;
}

static int l_graph_place_of(lua_State *L) {
  nnl_graph *graph = nnl_check_graph(L, 1);
  nnl_check_tensor(L, 2);
  lua_pushinteger(L, 1 + nnl_graph_value(L, graph, 1, 2));
  return 1;
}

static const luaL_Reg functions[] = {
    {"contents", l_graph_contents}, {"place_of", l_graph_place_of}, {NULL, NULL}};

void l_graph_list_open(lua_State *L) { luaL_setfuncs(L, functions, 0); }
