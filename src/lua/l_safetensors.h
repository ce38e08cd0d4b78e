#ifndef NN_LUA_L_SAFETENSORS_H
#define NN_LUA_L_SAFETENSORS_H

#include <lua.h>

/* Pushes the table `safetensors`. */
void l_safetensors_open(lua_State *L);

#endif
