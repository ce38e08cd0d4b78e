/* Plans as userdata, and the gradients of a tape.
 *
 * core.plan(graph, {inputs={t..}, outputs={t..}, loss=t, wants={{variable, gradient}..}, effects=})
 * User values keep the graph (1) and the gradient tensors (2) alive.
 */
#include <string.h>

#include "core/fpmode.h"
#include "lua/l_graph.h"
#include "lua/l_plan.h"

nnl_plan *nnl_check_plan(lua_State *L, int i) {
  nnl_plan *u = luaL_checkudata(L, i, NNL_PLAN);
  if (!u->plan) nnl_raise(L, "this plan was closed");
  return u;
}

static int plan_close(lua_State *L) {
  nnl_plan *u = luaL_checkudata(L, 1, NNL_PLAN);
  nn_plan_free(u->plan);
  u->plan = NULL;
  return 0;
}

/* Memory for building: freed by the collector if anything raises. */
static void *borrow(lua_State *L, size_t bytes) { return lua_newuserdatauv(L, bytes + 8, 0); }

/* The values of the tensors listed in field `name` of the table at 2. */
static int *read_values(lua_State *L, nnl_graph *graph, const char *name, int *count) {
  lua_getfield(L, 2, name);
  int list = lua_gettop(L);
  *count = lua_istable(L, list) ? (int)luaL_len(L, list) : 0;
  int *values = borrow(L, sizeof(int) * (size_t)*count);
  for (int k = 0; k < *count; k++) {
    lua_geti(L, list, k + 1);
    nnl_coerce(L, lua_gettop(L), -1);
    values[k] = nnl_graph_value(L, graph, 1, lua_gettop(L));
    lua_pop(L, 1);
  }
  return values;
}

/* wants: a list of {variable's tensor, gradient tensor}. */
static nn_want *read_wants(lua_State *L, nnl_graph *graph, int *count) {
  lua_getfield(L, 2, "wants");
  int list = lua_gettop(L);
  *count = lua_istable(L, list) ? (int)luaL_len(L, list) : 0;
  nn_want *wants = borrow(L, sizeof(nn_want) * (size_t)*count);
  for (int k = 0; k < *count; k++) {
    lua_geti(L, list, k + 1);
    if (!lua_istable(L, -1)) nnl_raise(L, "plan: want %d is no {variable, gradient}", k + 1);
    lua_geti(L, -1, 1), lua_geti(L, -2, 2);
    nnl_check_tensor(L, -2);
    wants[k].value = nnl_graph_value(L, graph, 1, lua_absindex(L, -2));
    nnl_tensor *g = nnl_check_tensor(L, -1);
    if (!g->t.data || g->read_only || !nn_tensor_is_contiguous(&g->t))
      nnl_raise(L, "plan: gradient %d has no memory to write to", k + 1);
    if (g->t.shape.dtype != NN_F32 ||
        nn_shape_size(&g->t.shape) != nn_shape_size(&graph->g.values[wants[k].value].shape))
      nnl_raise(L, "plan: gradient %d does not have its variable's shape", k + 1);
    wants[k].grad = g->t.data;
    lua_pop(L, 3);
  }
  return wants;
}

static int read_loss(lua_State *L, nnl_graph *graph) {
  lua_getfield(L, 2, "loss");
  int v = -1;
  if (!lua_isnil(L, -1)) {
    nnl_tensor *t = nnl_check_tensor(L, -1);
    if (nn_shape_size(&t->t.shape) != 1 || t->t.shape.dtype != NN_F32)
      nnl_raise(L, "the loss has %lld elements, expected one float32 number",
                (long long)nn_shape_size(&t->t.shape));
    v = nnl_graph_value(L, graph, 1, lua_gettop(L));
  }
  return v;
}

static int flag(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  int on = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return on;
}

/* plan(graph, spec): the plan, and a list that says of each want whether a gradient reaches it. */
static int l_plan_new(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nnl_graph *graph = nnl_check_graph(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  nn_plan_spec spec = {.loss = read_loss(L, graph), .keep_effects = flag(L, "effects")};
  spec.inputs = read_values(L, graph, "inputs", &spec.n_inputs);
  spec.outputs = read_values(L, graph, "outputs", &spec.n_outputs);
  spec.wants = read_wants(L, graph, &spec.n_wants);
  nnl_plan *u = lua_newuserdatauv(L, sizeof *u, 2);
  u->plan = NULL;
  luaL_setmetatable(L, NNL_PLAN);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  lua_getfield(L, 2, "wants");
  lua_setiuservalue(L, -2, 2);
  nnl_check(L, nn_plan_build(&c->alloc, &graph->g, &c->run, &spec, &u->plan, &c->error), &c->error);
  lua_createtable(L, spec.n_wants, 0);
  for (int k = 0; k < spec.n_wants; k++) {
    lua_pushboolean(L, spec.wants[k].reached);
    lua_seti(L, -2, k + 1);
  }
  return 2;
}

void nnl_check_fault(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  if (!c->run.fault) return;
  c->run.fault = 0;
  nnl_raise(L, "%s", c->error.text);
}

/* set(plan, i, tensor): copies the tensor into input i (same number of elements). */
static int l_plan_set(lua_State *L) {
  nn_plan *p = nnl_check_plan(L, 1)->plan;
  lua_Integer i = luaL_checkinteger(L, 2);
  if (i < 1 || i > nn_plan_n_inputs(p)) nnl_raise(L, "plan: there is no such input");
  lua_settop(L, 3);
  nnl_tensor *t = nnl_coerce(L, 3, -1);
  nn_tensor dst;
  nn_plan_set_input(p, (int)i - 1, NULL);
  nn_tensor_init(&dst, nn_plan_input_shape(p, (int)i - 1), nn_plan_input(p, (int)i - 1));
  if (!t->t.data || nn_shape_size(&dst.shape) != nn_shape_size(&t->t.shape))
    nnl_raise(L, "plan: input %d has another shape", (int)i);
  t = nnl_contiguous(L, 3);
  nn_tensor src = t->t;
  nn_tensor_init(&src, &dst.shape, t->t.data);
  src.shape.dtype = t->t.shape.dtype;
  nn_tensor_copy(&dst, &src);
  return 0;
}

static void forward(nn_plan *p) {
  nn_fpmode before = nn_fpmode_flush();
  nn_plan_forward(p);
  nn_fpmode_set(before);
}

static int l_plan_forward(lua_State *L) {
  forward(nnl_check_plan(L, 1)->plan);
  nnl_check_fault(L);
  return 0;
}

static int l_plan_backward(lua_State *L) {
  nn_plan *p = nnl_check_plan(L, 1)->plan;
  float scale = (float)luaL_optnumber(L, 2, 1);
  nn_fpmode before = nn_fpmode_flush();
  nn_plan_backward(p, scale);
  nn_fpmode_set(before);
  return 0;
}

/* output(plan, i): a copy of output i. */
static int l_plan_output(lua_State *L) {
  nn_plan *p = nnl_check_plan(L, 1)->plan;
  const nn_shape *s;
  lua_Integer i = luaL_checkinteger(L, 2);
  if (i < 1 || i > nn_plan_n_outputs(p)) nnl_raise(L, "plan: there is no such output");
  void *data = nn_plan_output(p, (int)i - 1, &s);
  memcpy(nnl_push_tensor(L, s)->t.data, data, nn_shape_bytes(s));
  return 1;
}

/* predict(plan, x): runs a plan of one input and one output on a tensor of exactly its shape and
 * dtype; a copy of the output. */
static int l_plan_predict(lua_State *L) {
  nn_plan *p = nnl_check_plan(L, 1)->plan;
  nnl_tensor *t = nnl_check_tensor(L, 2);
  if (nn_plan_n_inputs(p) != 1 || nn_plan_n_outputs(p) != 1 || !t->t.data)
    nnl_raise(L, "plan: predict needs one input and one output");
  const nn_shape *in = nn_plan_input_shape(p, 0), *s;
  if (!nn_shape_same(in, &t->t.shape)) nnl_raise(L, "plan: input 1 has another shape");
  nn_tensor dst;
  nn_tensor_init(&dst, in, nn_plan_input(p, 0));
  nn_tensor_copy(&dst, &t->t);
  forward(p);
  nnl_check_fault(L);
  void *data = nn_plan_output(p, 0, &s);
  memcpy(nnl_push_tensor(L, s)->t.data, data, nn_shape_bytes(s));
  return 1;
}

static int l_plan_bytes(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)nn_plan_bytes(nnl_check_plan(L, 1)->plan));
  return 1;
}

static const luaL_Reg methods[] = {
    {"set", l_plan_set},       {"forward", l_plan_forward}, {"backward", l_plan_backward},
    {"output", l_plan_output}, {"bytes", l_plan_bytes},     {"predict", l_plan_predict},
        {"close", plan_close},
    {NULL, NULL}};

void l_plan_open(lua_State *L) {
  luaL_newmetatable(L, NNL_PLAN);
  lua_pushcfunction(L, plan_close);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, plan_close);
  lua_setfield(L, -2, "__close");
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  l_train_methods(L);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, l_plan_new);
  lua_setfield(L, -2, "plan");
}
