/* Recording: core.record(mode) begins a graph, core.done(graph) ends it. Recordings nest. */
#include <string.h>

#include "lua/l_graph.h"

nnl_graph *nnl_check_graph(lua_State *L, int i) { return luaL_checkudata(L, i, NNL_GRAPH); }

static int graph_gc(lua_State *L) {
  nnl_graph *u = luaL_checkudata(L, 1, NNL_GRAPH);
  nn_graph_clear(&u->g);
  return 0;
}

/* record("trace" | "tape"): a new graph that ops are recorded into until done(graph). */
static int l_graph_record(lua_State *L) {
  static const char *const modes[] = {"trace", "tape", NULL};
  nnl_context *c = nnl_context_get(L);
  nnl_mode mode = luaL_checkoption(L, 1, NULL, modes) == 0 ? NNL_TRACE : NNL_TAPE;
  nnl_graph *u = lua_newuserdatauv(L, sizeof *u, 1);
  memset(u, 0, sizeof *u);
  nn_graph_init(&u->g, &c->alloc);
  luaL_setmetatable(L, NNL_GRAPH);
  lua_newtable(L);
  lua_setiuservalue(L, -2, 1);
  u->serial = ++c->serial;
  u->mode = mode;
  u->outer = c->graph, u->outer_mode = c->mode;
  c->graph = u, c->mode = mode;
  lua_rawsetp(L, LUA_REGISTRYINDEX, u); /* alive while it records */
  lua_rawgetp(L, LUA_REGISTRYINDEX, u);
  return 1;
}

/* done(graph): ends its recording, and any begun inside it that an error left open. */
static int l_graph_done(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nnl_graph *u = nnl_check_graph(L, 1);
  while (c->graph) {
    nnl_graph *top = c->graph;
    c->graph = top->outer, c->mode = top->outer_mode;
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, top);
    if (top == u) break;
  }
  return 0;
}

/* paused(f, ...): runs f with recording switched off. It cannot yield: what is recorded belongs to
 * the calls that are under way. */
static int l_graph_paused(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nnl_graph *graph = c->graph;
  nnl_mode mode = c->mode;
  luaL_checkany(L, 1);
  c->graph = NULL, c->mode = NNL_EAGER;
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  c->graph = graph, c->mode = mode;
  if (status != LUA_OK) return lua_error(L);
  return lua_gettop(L);
}

/* sealed(f, ...): pcall for recordings. A coroutine that yielded out of one would leave it open. */
static int l_graph_sealed(lua_State *L) {
  luaL_checkany(L, 1);
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  lua_pushboolean(L, status == LUA_OK);
  lua_insert(L, 1);
  return lua_gettop(L);
}

static void keep(lua_State *L, int gi, int i, int value) {
  lua_getiuservalue(L, gi, 1);
  lua_pushvalue(L, i);
  lua_rawseti(L, -2, value + 1);
  lua_pop(L, 1);
}

/* A variable is found again by its storage, so that it is one value however often it is used. */
static int find_param(const nn_graph *g, const nnl_tensor *u) {
  for (int v = 0; v < g->n_values; v++)
    if (g->values[v].kind == NN_VALUE_PARAM && g->values[v].data == u->t.data &&
        nn_shape_same(&g->values[v].shape, &u->t.shape))
      return v;
  return -1;
}

int nnl_graph_value(lua_State *L, nnl_graph *graph, int gi, int i) {
  nnl_tensor *u = nnl_to_tensor(L, i);
  if (u->value >= 0 && u->graph == graph->serial) return u->value;
  if (!u->t.data) return nnl_raise(L, "a traced tensor was used outside the call that traced it");
  int v = u->is_variable ? find_param(&graph->g, u) : -1;
  if (v >= 0) return v;
  if (!u->is_variable) u = nnl_contiguous(L, i);
  v = nn_graph_add_value(&graph->g, u->is_variable ? NN_VALUE_PARAM : NN_VALUE_CONST,
                         &u->t.shape, u->t.data);
  if (v < 0) return nnl_raise(L, "out of memory while recording");
  keep(L, gi, i, v);
  return v;
}

/* input(graph, shape[, dtype]): a traced tensor that a plan feeds. */
static int l_graph_input(lua_State *L) {
  nnl_graph *graph = nnl_check_graph(L, 1);
  nn_shape s;
  nnl_check_shape(L, 2, &s, "input");
  s.dtype = (nn_dtype)nnl_opt_dtype(L, 3, NN_F32);
  nnl_tensor *u = nnl_push_view(L, 1, &s, NULL);
  u->graph = graph->serial;
  u->value = nn_graph_add_value(&graph->g, NN_VALUE_INPUT, &s, NULL);
  if (u->value < 0) return nnl_raise(L, "out of memory while recording");
  return 1;
}

/* producer(t): the op's name, its inputs (traced or real tensors) and its attributes, nil when t is
 * not a recorded result. Serves the logits shortcut of the cross-entropies. */
static int l_graph_producer(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nnl_tensor *u = nnl_to_tensor(L, 1);
  if (!u || u->value < 0 || !c->graph || u->graph != c->graph->serial) return 0;
  nnl_graph *graph = c->graph;
  nn_value *v = &graph->g.values[u->value];
  if (v->kind != NN_VALUE_RESULT) return 0;
  nn_node *n = &graph->g.nodes[v->node];
  lua_pushstring(L, n->op->name);
  lua_createtable(L, n->n_in, 0);
  lua_rawgetp(L, LUA_REGISTRYINDEX, graph);
  int gi = lua_gettop(L);
  for (int k = 0; k < n->n_in; k++) {
    int in = graph->g.edges[n->first_in + k];
    lua_getiuservalue(L, gi, 1);
    if (lua_rawgeti(L, -1, in + 1) == LUA_TNIL) {
      lua_pop(L, 1);
      nnl_tensor *t = nnl_push_view(L, gi, &graph->g.values[in].shape, NULL);
      t->value = in, t->graph = graph->serial;
    }
    lua_seti(L, gi - 1, k + 1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  lua_createtable(L, 4, 0);
  for (int k = 0; k < 4; k++) {
    lua_pushinteger(L, n->attrs.i[k]);
    lua_seti(L, -2, k + 1);
  }
  lua_pushnumber(L, n->attrs.f[0]);
  return 4;
}

/* recording(): "trace", "tape" or nil. */
static int l_graph_recording(lua_State *L) {
  nnl_mode mode = nnl_context_get(L)->mode;
  if (mode == NNL_EAGER) return 0;
  lua_pushstring(L, mode == NNL_TRACE ? "trace" : "tape");
  return 1;
}

static const luaL_Reg functions[] = {
    {"record", l_graph_record}, {"done", l_graph_done},         {"paused", l_graph_paused},
    {"input", l_graph_input},   {"producer", l_graph_producer}, {"recording", l_graph_recording},
    {"sealed", l_graph_sealed},
    {NULL, NULL}};

void l_graph_open(lua_State *L) {
  luaL_newmetatable(L, NNL_GRAPH);
  lua_pushcfunction(L, graph_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, 0);
}
