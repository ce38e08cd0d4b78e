/* core.running_means: the logs of metrics that are means, made and reset in one call. */
#include "lua/l_logs.h"

#include "lua/l_tensor.h"

/* The float of a tensor of one element; its memory never moves (it is a variable's). */
static float *scalar_at(lua_State *L, int list, int k) {
  lua_geti(L, list, k);
  nnl_tensor *t = nnl_check_tensor(L, -1);
  if (!t->t.data || t->t.shape.dtype != NN_F32 || nn_shape_size(&t->t.shape) != 1)
    nnl_raise(L, "running_means: tensor %d is no float32 scalar", k);
  lua_pop(L, 1);
  return t->t.data;
}

typedef struct nn_mean {
  float *total, *count; /* borrowed: upvalue 2 holds the tensors */
} nn_mean;

/* Upvalues: 1 the means, 2 the tensors, 3 the names, 4 the metatable, 5 how many there are. */
static int make_logs(lua_State *L) {
  const nn_mean *m = lua_touserdata(L, lua_upvalueindex(1));
  int n = (int)lua_tointeger(L, lua_upvalueindex(5));
  lua_createtable(L, 0, n);
  for (int k = 0; k < n; k++) {
    lua_rawgeti(L, lua_upvalueindex(3), k + 1);
    float count = *m[k].count;
    lua_pushnumber(L, count == 0 ? 0 : (double)(*m[k].total / count));
    lua_rawset(L, -3);
  }
  lua_pushvalue(L, lua_upvalueindex(4));
  lua_setmetatable(L, -2);
  return 1;
}

static int reset(lua_State *L) {
  const nn_mean *m = lua_touserdata(L, lua_upvalueindex(1));
  int n = (int)lua_tointeger(L, lua_upvalueindex(5));
  for (int k = 0; k < n; k++) *m[k].total = *m[k].count = 0;
  return 0;
}

/* running_means(names, tensors, metatable): tensors are {total, count, total, count ...}, scalars
 * of variables. Gives a function that makes a table name -> total / count (0 where the count is
 * 0), and one that sets all to 0. */
static int l_running_means(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 3);
  int n = (int)luaL_len(L, 1);
  nn_mean *m = lua_newuserdatauv(L, sizeof *m * (size_t)(n + 1), 0); /* 4 */
  for (int k = 0; k < n; k++)
    m[k] = (nn_mean){scalar_at(L, 2, 2 * k + 1), scalar_at(L, 2, 2 * k + 2)};
  static const lua_CFunction functions[] = {make_logs, reset};
  for (int f = 0; f < 2; f++) {
    lua_pushvalue(L, 4);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 3);
    lua_pushinteger(L, n);
    lua_pushcclosure(L, functions[f], 5);
  }
  return 2;
}

void l_logs_open(lua_State *L) {
  lua_pushcfunction(L, l_running_means);
  lua_setfield(L, -2, "running_means");
}
