/* A file that is written behind the caller's back: bytes that are complete go to their place on a
 * thread of their own, atomically, while the script goes on.
 */
#ifndef NN_LUA_BEHIND_H
#define NN_LUA_BEHIND_H

#include "lua/context.h"

/* Takes the block `bytes` (of c->alloc) and pushes a job: job:wait() returns when the file is in
 * place and raises what went wrong; a job that is dropped is waited for. */
void nnl_push_job(lua_State *L, nnl_context *c, const char *path, uint8_t *bytes, size_t n);

#endif
