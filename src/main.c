#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>
#include "host/module.h"
int main(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  nn_host_install(L);
  int s, i = 1;
  lua_newtable(L);
  int base = argc > 2 && strcmp(argv[1], "-e") == 0 ? 2 : 1;
  for (int k = 0; k < argc; k++) lua_pushstring(L, argv[k]), lua_seti(L, -2, k - base);
  lua_setglobal(L, "arg");
  if (base == 2) s = luaL_loadstring(L, argv[2]), i = 3;
  else s = luaL_loadfile(L, argc > 1 ? argv[i++] : NULL);
  int n = 0;
  for (; i < argc; i++, n++) lua_pushstring(L, argv[i]);
  if (s == LUA_OK) s = lua_pcall(L, n, 0, 0);
  if (s != LUA_OK) {
    lua_writestringerror("%s\n", lua_tostring(L, -1));
    return 1;
  }
  lua_close(L);
  return 0;
}
