/* The Lua side of core/control.h: where a state keeps its flags, and how a run looks at them. */
#ifndef NN_LUA_CONTROL_H
#define NN_LUA_CONTROL_H

#include <lua.h>

#include "core/control.h"

/* The state's flags, made on first use. A host that has flags of its own calls nn_lua_set_control
 * first; `c` must outlive the state. Both raise only where there is no memory. */
nn_control *nn_lua_control(lua_State *L);
void nn_lua_set_control(lua_State *L, nn_control *c);

/* Raises a Lua error where the state is cancelled or out of time. */
void nn_lua_poll(lua_State *L);

/* Raises a Lua error where the state is a sandbox: call it before a file is opened by name.
 * `what` is what the user called ("model:save"). */
void nn_lua_check_files(lua_State *L, const char *what);

/* Adds run_begin and check_files to the table on top of the stack. */
void nn_lua_control_register(lua_State *L);

#endif
