/* How a Lua state finds the library: the searcher of module.c. */
#ifndef NN_HOST_MODULE_H
#define NN_HOST_MODULE_H

#include <lua.h>

/* Makes `require "nnlua"` and its submodules work in L. Needs the package library; once is enough,
 * twice does nothing. Raises Lua errors. */
void nn_host_install(lua_State *L);

/* The environment of the library's own chunks from now on, instead of the globals: the table on top
 * of the stack, which is popped. */
void nn_host_set_environment(lua_State *L);

#endif
