#ifndef NN_LUA_L_SPILL_H
#define NN_LUA_L_SPILL_H

#include <lua.h>

/* Adds spill to the table on the top of the stack. */
void l_spill_open(lua_State *L);

#endif
