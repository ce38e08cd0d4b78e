#include "lua/core.h"

#include "lua/control.h"
#include "lua/l_about.h"

int luaopen_nnlua_core(lua_State *L) {
  lua_newtable(L);
  nn_lua_control_register(L); /* run_begin, check_files */
  lua_pushcfunction(L, l_about);
  lua_setfield(L, -2, "about");
  return 1;
}
