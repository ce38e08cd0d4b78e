/* Reading limits as Lua gives them: {bytes=, tensors=, depth=}; 0 or absent is the default. */
#ifndef NN_LUA_LIMITS_H
#define NN_LUA_LIMITS_H

#include <lua.h>

#include "io/stream.h"

nn_limits nnl_limits(lua_State *L, int i);

/* The tensors of {{name, tensor}, ...} at index i, made contiguous; an anchor is pushed. */
struct nn_named_tensor *nnl_named_tensors(lua_State *L, int i, size_t *count);

#endif
