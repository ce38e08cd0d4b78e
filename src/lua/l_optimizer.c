/* core.optimizer.new(kind, {hyperparameter = number or boolean}): one of model/optimizer.h.
 *
 * The methods give live views of its memory: gradients are written there before step(lr). User
 * value 1 keeps the variables' tensors, whose storage the optimizer updates, alive.
 */
#include "lua/l_optimizer.h"

#include <string.h>

#include "core/fpmode.h"
#include "lua/l_tensor.h"

static nn_opt *check_any(lua_State *L, int i) { return luaL_checkudata(L, i, NNL_OPTIMIZER); }

nn_opt *nnl_check_opt(lua_State *L, int i) {
  nn_opt *o = check_any(L, i);
  if (!o->arena) nnl_raise(L, "optimizer: it has no variables yet, build(variables) comes first");
  return o;
}

static int l_optimizer_gc(lua_State *L) {
  nn_opt_clear(check_any(L, 1));
  return 0;
}

static double number_at(lua_State *L, int i) {
  return lua_isboolean(L, i) ? lua_toboolean(L, i) : luaL_checknumber(L, i);
}

static int l_optimizer_new(lua_State *L) {
  const char *kind = luaL_checkstring(L, 1);
  nnl_context *c = nnl_context_get(L);
  lua_settop(L, 2);
  nn_opt *o = lua_newuserdatauv(L, sizeof *o, 1);
  memset(o, 0, sizeof *o);
  luaL_setmetatable(L, NNL_OPTIMIZER);
  nnl_check(L, nn_opt_init(o, kind, &c->alloc, c->pool, &c->gemm, &c->error), &c->error);
  if (lua_isnil(L, 2)) return 1;
  luaL_checktype(L, 2, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) nnl_raise(L, "optimizer: hyperparameters have names");
    nnl_check(L, nn_opt_set(o, lua_tostring(L, -2), number_at(L, -1), &c->error), &c->error);
  }
  return 1;
}

/* True when list[k] of the table at index `list` (or nil) is true. */
static int flag(lua_State *L, int list, int k) {
  if (!lua_istable(L, list)) return 0;
  lua_geti(L, list, k);
  int yes = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return yes;
}

/* build({tensor..}, {no_decay..}, {alt..}): lists of booleans, one a variable, may be nil. */
static int l_optimizer_build(lua_State *L) {
  nn_opt *o = check_any(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 4);
  int n = (int)luaL_len(L, 2);
  nn_opt_var *vars = lua_newuserdatauv(L, sizeof *vars * (size_t)(n + 1), 0);
  lua_createtable(L, n, 0);
  for (int k = 0; k < n; k++) {
    lua_geti(L, 2, k + 1);
    nnl_tensor *t = nnl_check_tensor(L, -1);
    if (!t->t.data || t->t.shape.dtype != NN_F32 || !nn_tensor_is_contiguous(&t->t))
      nnl_raise(L, "optimizer: variable %d is not a float32 tensor with storage of its own", k + 1);
    vars[k] = (nn_opt_var){.w = t->t.data, .shape = t->t.shape, .decay = !flag(L, 3, k + 1),
                           .alt = flag(L, 4, k + 1)};
    lua_rawseti(L, -2, k + 1);
  }
  lua_setiuservalue(L, 1, 1);
  nnl_context *c = nnl_context_get(L);
  nnl_check(L, nn_opt_build(o, n, vars, &c->error), &c->error);
  lua_settop(L, 1);
  return 1;
}

static int l_optimizer_step(lua_State *L) {
  nn_opt *o = nnl_check_opt(L, 1);
  double rate = luaL_checknumber(L, 2);
  nn_fpmode before = nn_fpmode_flush();
  nn_opt_step(o, rate);
  nn_fpmode_set(before);
  return 0;
}

static nn_opt_seg *check_seg(lua_State *L) {
  nn_opt *o = nnl_check_opt(L, 1);
  lua_Integer i = luaL_checkinteger(L, 2);
  if (i < 1 || i > o->n_seg)
    nnl_raise(L, "optimizer: variable %lld, expected 1 to %d", (long long)i, o->n_seg);
  return &o->seg[i - 1];
}

static int push_or_nil(lua_State *L, const nn_shape *s, float *data) {
  if (data) nnl_push_view(L, 1, s, data);
  else lua_pushnil(L);
  return 1;
}

static int l_optimizer_gradient(lua_State *L) {
  nn_opt_seg *s = check_seg(L);
  return push_or_nil(L, &s->shape, s->g);
}
static int l_optimizer_ema(lua_State *L) {
  nn_opt_seg *s = check_seg(L);
  return push_or_nil(L, &s->shape, s->ema);
}
static int l_optimizer_accumulator(lua_State *L) {
  nn_opt_seg *s = check_seg(L);
  return push_or_nil(L, &s->shape, s->accumulator);
}

/* Adafactor's means leave out the last dimension (r) or the one before (c). */
static nn_shape slot_shape(const nn_opt *o, const nn_opt_seg *s, int k) {
  nn_shape out = s->shape;
  if (o->kind != NN_OPT_ADAFACTOR || k > 1) return out;
  out.ndim = s->shape.ndim < 2 ? 0 : s->shape.ndim - 1;
  if (k == 1 && out.ndim) out.dim[out.ndim - 1] = s->shape.dim[out.ndim];
  return out;
}

/* slot(i, k): the k-th slot (from 1, in the order of nn_opt_seg) of variable i, or nil. */
static int l_optimizer_slot(lua_State *L) {
  nn_opt_seg *s = check_seg(L);
  lua_Integer k = luaL_checkinteger(L, 3);
  if (k < 1 || k > NN_OPT_SLOTS || !s->slot[k - 1]) return lua_pushnil(L), 1;
  nn_shape shape = slot_shape(check_any(L, 1), s, (int)k - 1);
  return push_or_nil(L, &shape, s->slot[k - 1]);
}

/* squares(i): the memory of an embedding's squared gradients, nil where they are not used. */
static int l_optimizer_squares(lua_State *L) {
  nn_opt_seg *s = check_seg(L);
  int index = (int)lua_tointeger(L, 2) - 1;
  return push_or_nil(L, &s->shape, nn_opt_squares(nnl_check_opt(L, 1), index));
}

/* has_gradient(i, yes[, squares]): whether the next steps find a gradient for variable i, and its
 * squares in the memory for them. */
static int l_optimizer_has_gradient(lua_State *L) {
  nn_opt_seg *s = check_seg(L);
  s->has_grad = lua_toboolean(L, 3);
  s->by_squares = s->squares && lua_toboolean(L, 4);
  return 0;
}

/* iterations([n]): calls so far. */
static int l_optimizer_iterations(lua_State *L) {
  nn_opt *o = check_any(L, 1);
  if (!lua_isnoneornil(L, 2)) o->iterations = luaL_checkinteger(L, 2);
  lua_pushinteger(L, o->iterations);
  return 1;
}

/* scalar([x]): Nadam's u_product. */
static int l_optimizer_scalar(lua_State *L) {
  nn_opt *o = check_any(L, 1);
  if (!lua_isnoneornil(L, 2)) o->scalar = (float)luaL_checknumber(L, 2);
  lua_pushnumber(L, (double)o->scalar);
  return 1;
}

/* set(name, value): changes a hyperparameter; those that decide which slots there are (momentum,
 * amsgrad, use_ema ...) before build alone. */
static int l_optimizer_set(lua_State *L) {
  nn_opt *o = check_any(L, 1);
  nnl_context *c = nnl_context_get(L);
  const char *name = luaL_checkstring(L, 2);
  nnl_check(L, nn_opt_set(o, name, number_at(L, 3), &c->error), &c->error);
  return 0;
}

void l_optimizer_open(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"build", l_optimizer_build},           {"step", l_optimizer_step},
      {"gradient", l_optimizer_gradient},     {"slot", l_optimizer_slot},
      {"squares", l_optimizer_squares},
      {"ema", l_optimizer_ema},               {"accumulator", l_optimizer_accumulator},
      {"iterations", l_optimizer_iterations}, {"scalar", l_optimizer_scalar},
      {"set", l_optimizer_set},               {"has_gradient", l_optimizer_has_gradient},
      {NULL, NULL},
  };
  luaL_newmetatable(L, NNL_OPTIMIZER);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, l_optimizer_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, l_optimizer_new);
  lua_setfield(L, -2, "new");
}
