/* core.rng: random tensors addressed by (seed, stream, step), and permutations. */
#ifndef NN_LUA_RNG_H
#define NN_LUA_RNG_H

#include <lua.h>

/* Sets the table `rng` in the table on the top of the stack. */
void l_rng_open(lua_State *L);

#endif
