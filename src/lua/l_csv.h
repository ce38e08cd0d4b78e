#ifndef NN_LUA_L_CSV_H
#define NN_LUA_L_CSV_H

#include <lua.h>

/* Adds csv and csv_reader to the table on the top of the stack. */
void l_csv_open(lua_State *L);

#endif
