#ifndef NN_LUA_L_DATA_H
#define NN_LUA_L_DATA_H

#include <lua.h>

/* Pushes the table of functions that read and write files of data. */
void l_data_open(lua_State *L);

#endif
