/* The C half of the library as a Lua module, `nnlua.core`. */
#ifndef NN_LUA_CORE_H
#define NN_LUA_CORE_H

#include <lua.h>

int luaopen_nnlua_core(lua_State *L);

#endif
