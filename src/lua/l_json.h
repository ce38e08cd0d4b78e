#ifndef NN_LUA_L_JSON_H
#define NN_LUA_L_JSON_H

#include <lua.h>

/* Pushes the table `json`. */
void l_json_open(lua_State *L);

#endif
