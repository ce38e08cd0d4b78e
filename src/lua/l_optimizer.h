/* Optimizers as userdata; see model/optimizer.h and lua/nnlua/optimizers. */
#ifndef NN_LUA_OPTIMIZER_H
#define NN_LUA_OPTIMIZER_H

#include <lua.h>

#include "model/optimizer.h"

#define NNL_OPTIMIZER "nn.core.Optimizer"

/* The optimizer at index i, which must have been built; raises. */
nn_opt *nnl_check_opt(lua_State *L, int i);
/* Pushes the table {new = }. */
void l_optimizer_open(lua_State *L);

#endif
