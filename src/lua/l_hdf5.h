/* core.hdf5: HDF5 files as Keras writes them. */
#ifndef NN_LUA_L_HDF5_H
#define NN_LUA_L_HDF5_H

#include <lua.h>

/* Pushes a table of functions. */
void l_hdf5_open(lua_State *L);

#endif
