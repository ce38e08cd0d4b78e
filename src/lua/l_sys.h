/* What the standard library asks of the operating system: clock, terminal, files. */
#ifndef NN_LUA_L_SYS_H
#define NN_LUA_L_SYS_H

#include <lua.h>

/* Pushes the table `sys`. */
void l_sys_open(lua_State *L);

#endif
