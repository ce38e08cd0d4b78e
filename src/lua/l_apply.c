/* core.apply(name, inputs[, ints[, floats]]): one op on tensors, run at once or recorded. */
#include <string.h>

#include "core/fpmode.h"
#include "lua/l_graph.h"

enum { MAX_INPUTS = 256 };

typedef struct application {
  const nn_op *op;
  nn_attrs attrs;
  int n_in, first; /* inputs stand at stack first .. first + n_in - 1 */
  nnl_tensor *in[MAX_INPUTS];
  const nn_shape *shapes[MAX_INPUTS];
  nn_shape out[NN_MAX_OUT];
} application;

static const nn_op *check_op(lua_State *L, const char *name) {
  const nn_op *op = nn_op_find(name);
  if (!op) nnl_raise(L, "there is no op '%s'", name);
  return op;
}

static void read_attrs(lua_State *L, int ints, int floats, nn_attrs *a) {
  memset(a, 0, sizeof *a);
  if (lua_istable(L, ints)) {
    lua_Integer n = luaL_len(L, ints);
    if (n > NN_MAX_ATTRS) nnl_raise(L, "more than %d integer attributes", NN_MAX_ATTRS);
    for (int k = 0; k < (int)n; k++) {
      lua_geti(L, ints, k + 1);
      int ok = 0;
      a->i[k] = lua_isboolean(L, -1) ? lua_toboolean(L, -1) : lua_tointegerx(L, -1, &ok);
      if (!ok && !lua_isboolean(L, -1))
        nnl_raise(L, "expected an integer, got %s", luaL_tolstring(L, -1, NULL));
      lua_pop(L, 1);
    }
  }
  if (lua_istable(L, floats)) {
    lua_Integer n = luaL_len(L, floats);
    if (n > 8) nnl_raise(L, "more than 8 number attributes");
    for (int k = 0; k < (int)n; k++) {
      lua_geti(L, floats, k + 1);
      a->f[k] = lua_tonumber(L, -1);
      lua_pop(L, 1);
    }
  }
}

/* What an op writes to has memory of its own without gaps. */
static void check_target(lua_State *L, const nn_op *op, const nnl_tensor *u) {
  if (u->read_only) nnl_raise(L, "%s: the tensor is read only", op->name);
  if (u->t.data && !nn_tensor_is_contiguous(&u->t))
    nnl_raise(L, "%s: the tensor is a view with gaps", op->name);
}

static void read_inputs(lua_State *L, application *a) {
  lua_Integer n = luaL_len(L, 2);
  if (n > MAX_INPUTS) nnl_raise(L, "%s: %d inputs, at most %d", a->op->name, (int)n, MAX_INPUTS);
  a->n_in = (int)n;
  luaL_checkstack(L, a->n_in + 16, "inputs");
  a->first = lua_gettop(L) + 1;
  for (int k = 0; k < a->n_in; k++) {
    lua_geti(L, 2, k + 1);
    int effect_target = (a->op->flags & NN_OP_EFFECT) && k == 0;
    a->in[k] = nnl_coerce(L, a->first + k, -1);
    if (!effect_target) a->in[k] = nnl_contiguous(L, a->first + k);
    else check_target(L, a->op, a->in[k]);
    a->shapes[k] = &a->in[k]->t.shape;
  }
}

/* A whole number beside a tensor of integers is an integer too, as in Keras: ids + 1 are ids. */
static void match_integers(lua_State *L, application *a) {
  for (int k = 0; k < 2; k++) {
    if (a->in[1 - k]->t.shape.dtype == NN_F32) continue;
    lua_geti(L, 2, k + 1);
    if (!lua_isinteger(L, -1)) {
      lua_pop(L, 1);
      continue;
    }
    lua_replace(L, a->first + k);
    a->in[k] = nnl_coerce(L, a->first + k, NN_I32);
    a->shapes[k] = &a->in[k]->t.shape;
  }
}

static int touches_recording(const application *a, const nnl_context *c) {
  for (int k = 0; k < a->n_in; k++) {
    const nnl_tensor *u = a->in[k];
    if (u->is_variable || (u->value >= 0 && u->graph == c->graph->serial)) return 1;
  }
  return 0;
}

/* --- running at once ----------------------------------------------------------------------- */

/* Runs the op. Pushes its scratch and saved memory (or nil), then its outputs. */
static void run_now(lua_State *L, nnl_context *c, application *a) {
  void *in[MAX_INPUTS], *out[NN_MAX_OUT];
  const nn_shape *out_shape[NN_MAX_OUT];
  const nn_op *op = a->op;
  size_t saved = op->saved ? op->saved(&a->attrs, a->n_in, a->shapes) : 0;
  size_t scratch = op->scratch ? op->scratch(&a->attrs, a->n_in, a->shapes) : 0;
  nn_shape bytes = {.dtype = NN_U8, .ndim = 1};
  void *saved_at = NULL, *scratch_at = NULL;
  if (op->reserve) {
    nn_status s = op->reserve(&a->attrs, a->n_in, a->shapes, &c->run, &c->error);
    nnl_check(L, s, &c->error);
  }
  bytes.dim[0] = (int64_t)scratch;
  if (scratch) scratch_at = nnl_push_tensor(L, &bytes)->t.data;
  else lua_pushnil(L);
  bytes.dim[0] = (int64_t)saved;
  if (saved) saved_at = nnl_push_tensor(L, &bytes)->t.data;
  else lua_pushnil(L);
  for (int k = 0; k < a->n_in; k++) in[k] = a->in[k]->t.data;
  for (int k = 0; k < op->n_out; k++) {
    out_shape[k] = &a->out[k];
    if (k == 0 && a->n_in > 0 && (op->flags & NN_OP_EFFECT)) {
      lua_pushvalue(L, a->first);
      out[k] = in[0];
    } else {
      out[k] = nnl_push_tensor(L, &a->out[k])->t.data;
    }
  }
  nn_call call = {.attrs = &a->attrs, .n_in = a->n_in, .n_out = op->n_out, .in_shape = a->shapes,
                  .out_shape = out_shape, .in = in, .out = out, .saved = saved_at,
                  .scratch = scratch_at, .run = &c->run};
  uint64_t step = c->run.step;
  if (op->flags & NN_OP_RANDOM) c->run.step = c->draws++;
  c->run.fault = 0;
  nn_fpmode before = nn_fpmode_flush();
  op->forward(&call);
  nn_fpmode_set(before);
  c->run.step = step;
  if (c->run.fault) {
    c->run.fault = 0;
    nnl_raise(L, "%s", c->error.text);
  }
}

/* --- recording ----------------------------------------------------------------------------- */

static int record_node(lua_State *L, nnl_context *c, application *a, int gi) {
  int in[MAX_INPUTS];
  for (int k = 0; k < a->n_in; k++) in[k] = nnl_graph_value(L, c->graph, gi, a->first + k);
  int first = nn_graph_add_node(&c->graph->g, a->op, &a->attrs, a->n_in, in, a->out);
  if (first < 0) nnl_raise(L, "out of memory while recording");
  return first;
}

static int record_trace(lua_State *L, nnl_context *c, application *a) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, c->graph);
  int gi = lua_gettop(L), first = record_node(L, c, a, gi);
  for (int k = 0; k < a->op->n_out; k++) {
    nnl_tensor *u = nnl_push_view(L, gi, &a->out[k], NULL);
    u->value = first + k, u->graph = c->graph->serial;
  }
  return a->op->n_out;
}

/* After run_now: stack has saved, outputs. The tape keeps them and their places. */
static void record_tape(lua_State *L, nnl_context *c, application *a, int saved_index) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, c->graph);
  int gi = lua_gettop(L), first = record_node(L, c, a, gi), n_out = a->op->n_out;
  nn_graph *g = &c->graph->g;
  lua_getiuservalue(L, gi, 1);
  for (int k = 0; k < n_out; k++) {
    nnl_tensor *u = nnl_to_tensor(L, saved_index + 1 + k);
    g->values[first + k].data = u->t.data;
    if (!u->is_variable) u->value = first + k, u->graph = c->graph->serial;
    lua_pushvalue(L, saved_index + 1 + k);
    lua_rawseti(L, -2, first + k + 1);
  }
  nnl_tensor *saved = nnl_to_tensor(L, saved_index);
  if (saved) {
    g->nodes[g->n_nodes - 1].saved = saved->t.data;
    lua_pushvalue(L, saved_index);
    lua_rawseti(L, -2, -g->n_nodes); /* negative keys: saved memory by node */
  }
  lua_pop(L, 2);
}

static int l_apply(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  application a;
  a.op = check_op(L, luaL_checkstring(L, 1));
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 4);
  read_attrs(L, 3, 4, &a.attrs);
  read_inputs(L, &a);
  if (a.n_in == 2) match_integers(L, &a);
  nnl_check(L, nn_op_infer(a.op, &a.attrs, a.n_in, a.shapes, a.out, &c->error), &c->error);
  unsigned always = NN_OP_EFFECT | NN_OP_RANDOM;
  int record = c->mode != NNL_EAGER && ((a.op->flags & always) || touches_recording(&a, c));
  if (record && c->mode == NNL_TRACE) return record_trace(L, c, &a);
  for (int k = 0; k < a.n_in; k++)
    if (!a.in[k]->t.data)
      nnl_raise(L, "%s: a traced tensor was used outside the call that traced it", a.op->name);
  int saved_index = lua_gettop(L) + 2; /* behind the scratch memory */
  run_now(L, c, &a);
  if (record) record_tape(L, c, &a, saved_index);
  return a.op->n_out;
}

/* --- operators ----------------------------------------------------------------------------- */

/* Upvalues: op name, the table core (whose field `symbolic` may take over non-tensor operands). */
static int operator(lua_State *L) {
  lua_settop(L, 2);
  for (int i = 1; i <= 2; i++) {
    if (!lua_istable(L, i) || luaL_getmetafield(L, i, "__keras_tensor") == LUA_TNIL) continue;
    lua_pop(L, 1);
    lua_getfield(L, lua_upvalueindex(2), "symbolic");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1), lua_pushvalue(L, 2);
    lua_call(L, 3, 1);
    return 1;
  }
  lua_pushcfunction(L, l_apply);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 1);
  lua_seti(L, -2, 1);
  lua_pushvalue(L, 2);
  lua_seti(L, -2, 2);
  lua_call(L, 2, 1);
  return 1;
}

static int operator_unm(lua_State *L) {
  lua_pushcfunction(L, l_apply);
  lua_pushliteral(L, "negative");
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, 1);
  lua_seti(L, -2, 1);
  lua_call(L, 2, 1);
  return 1;
}

static void add_operators(lua_State *L, int core) {
  static const char *const names[][2] = {{"__add", "add"},      {"__sub", "subtract"},
                                         {"__mul", "multiply"}, {"__div", "divide"},
                                         {"__pow", "power"},    {"__mod", "mod"}};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    lua_pushstring(L, names[k][1]);
    lua_pushvalue(L, core);
    lua_pushcclosure(L, operator, 2);
    lua_setfield(L, -2, names[k][0]);
  }
  lua_pushcfunction(L, operator_unm);
  lua_setfield(L, -2, "__unm");
}

void l_apply_open(lua_State *L) {
  int core = lua_gettop(L);
  lua_pushcfunction(L, l_apply);
  lua_setfield(L, -2, "apply");
  luaL_getmetatable(L, NNL_TENSOR);
  add_operators(L, core);
  lua_pop(L, 1);
}
