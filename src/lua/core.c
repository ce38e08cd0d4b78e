#include "lua/core.h"

int luaopen_nnlua_core(lua_State *L) {
  lua_newtable(L);
  return 1;
}
