#include "lua/limits.h"

#include <lauxlib.h>

#include "io/tensors.h"
#include "lua/l_tensor.h"

static lua_Integer field(lua_State *L, int i, const char *name) {
  lua_getfield(L, i, name);
  lua_Integer v = luaL_optinteger(L, -1, 0);
  lua_pop(L, 1);
  return v > 0 ? v : 0;
}

nn_limits nnl_limits(lua_State *L, int i) {
  nn_limits l = {0};
  if (!lua_istable(L, i)) return l;
  lua_Integer depth = field(L, i, "depth");
  l.bytes = (size_t)field(L, i, "bytes");
  l.tensors = (size_t)field(L, i, "tensors");
  l.depth = depth > 10000 ? 10000 : (int)depth;
  return l;
}

nn_named_tensor *nnl_named_tensors(lua_State *L, int i, size_t *count) {
  luaL_checktype(L, i, LUA_TTABLE);
  *count = (size_t)luaL_len(L, i);
  nn_named_tensor *list = lua_newuserdatauv(L, sizeof *list * (*count + 1), 0);
  lua_newtable(L); /* keeps copies alive */
  int keep = lua_gettop(L);
  for (size_t k = 0; k < *count; k++) {
    lua_geti(L, i, (lua_Integer)k + 1);
    lua_geti(L, -1, 1), lua_geti(L, -2, 2);
    nnl_check_tensor(L, -1);
    nnl_tensor *t = nnl_contiguous(L, lua_gettop(L));
    if (!t->t.data) nnl_raise(L, "tensor %d has no values yet", (int)k + 1);
    list[k].name = luaL_checkstring(L, -2);
    list[k].tensor = t->t;
    lua_seti(L, keep, (lua_Integer)k + 1);
    lua_pop(L, 2);
  }
  return list;
}
