#ifndef NN_LUA_L_CONFIG_H
#define NN_LUA_L_CONFIG_H

#include <lua.h>

/* Adds the settings to the table on the top of the stack. */
void l_config_open(lua_State *L);

#endif
