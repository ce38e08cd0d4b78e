/* What one Lua state shares: allocator, threads, products, random state, the graph being recorded.
 * Lives as a userdata in the registry; no globals, so any number of states can run side by side.
 */
#ifndef NN_LUA_CONTEXT_H
#define NN_LUA_CONTEXT_H

#include <lauxlib.h>
#include <lua.h>

#include "model/graph.h"

/* How ops on tensors behave at the moment. */
typedef enum nnl_mode {
  NNL_EAGER, /* run at once */
  NNL_TRACE, /* calls that touch a traced tensor or a variable are recorded, not run */
  NNL_TAPE   /* run at once, and record what touches a variable or a recorded value */
} nnl_mode;

typedef struct nnl_context {
  nn_alloc alloc; /* Lua's own allocator */
  nn_pool *pool;  /* owned */
  nn_gemm gemm;
  nn_run run;
  nn_error error;
  nnl_mode mode;
  struct nnl_graph *graph; /* borrowed: the userdata at the top of the recording stack */
  uint32_t serial;          /* of the newest graph */
  uint32_t draws;           /* eager random draws so far */
  int tensors_capped;       /* while a stranger's file becomes a model: */
  size_t tensors_left;      /* bytes that its larger tensors may still take */
} nnl_context;

nnl_context *nnl_context_get(lua_State *L); /* makes it at the first call */

/* Pushes a userdata of zeros whose collection calls gc, to be filled by what may fail or raise: gc
 * must take the zeros too. */
void *nnl_push_owner(lua_State *L, size_t size, const char *type, lua_CFunction gc);

/* Raises at the caller's line: the first frame that is not the library's ("@nnlua/..."). */
int nnl_raise(lua_State *L, const char *fmt, ...) NN_PRINTF(2, 3);
/* Raises the text of e unless s is NN_OK; NN_ERR_MEMORY raises Lua's memory error text. */
void nnl_check(lua_State *L, nn_status s, const nn_error *e);

#endif
