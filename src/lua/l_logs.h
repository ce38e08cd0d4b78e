#ifndef NN_LUA_L_LOGS_H
#define NN_LUA_L_LOGS_H

#include <lua.h>

/* Adds running_means to the table on the top of the stack. */
void l_logs_open(lua_State *L);

#endif
