/* How a Lua state finds the library: the searcher of module.c. */
#ifndef NN_HOST_MODULE_H
#define NN_HOST_MODULE_H

#include <lua.h>

/* Makes `require "nnlua"` and its submodules work in L. Needs the package library; once is enough,
 * twice does nothing. Raises Lua errors. */
void nn_host_install(lua_State *L);

#endif
