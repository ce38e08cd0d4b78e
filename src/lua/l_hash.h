#ifndef NN_LUA_L_HASH_H
#define NN_LUA_L_HASH_H

#include <lua.h>

/* Adds hash_bin and cross_bin to the table on the top of the stack. */
void l_hash_open(lua_State *L);

#endif
