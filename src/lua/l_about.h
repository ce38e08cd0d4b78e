/* core.about(). */
#ifndef NN_LUA_L_ABOUT_H
#define NN_LUA_L_ABOUT_H

#include <lua.h>

int l_about(lua_State *L);

#endif
