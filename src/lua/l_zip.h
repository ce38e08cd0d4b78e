/* core.zip: archives by member name, and NumPy's .npz. */
#ifndef NN_LUA_L_ZIP_H
#define NN_LUA_L_ZIP_H

#include <lua.h>

/* Pushes a table of functions. */
void l_zip_open(lua_State *L);

#endif
