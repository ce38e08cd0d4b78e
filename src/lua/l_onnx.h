/* core.onnx: see l_onnx.c. */
#ifndef NN_LUA_L_ONNX_H
#define NN_LUA_L_ONNX_H

#include <lua.h>

/* Pushes the table. */
void l_onnx_open(lua_State *L);

#endif
