/* Files that are written behind the script's back. A block holds the bytes of a file as they were
 * at one moment, in memory that the state counts; a job writes blocks to their place on a thread of
 * its own, atomically, while the script goes on. Checksums are the thread's business too, so the
 * script waits for one copy of the values.
 *
 * core.behind.file(path, block, previous, after) and core.behind.zip(path, {{name, text or block},
 * ...}, previous, after) give a job. job:wait() returns when the file is in place, and raises once
 * what went wrong; job:join() only waits. A job that is dropped is waited for.
 *
 * `previous` is the name under which the file that is replaced stays. `after` is an earlier job,
 * whose file is in place before this one is begun; where it failed and nobody knows yet, this one
 * fails with it: a training's state never tells of a checkpoint that is not on the disk. Both may
 * be nil.
 *
 * A block belongs to the job that it was given to. job:wait(true) gives it back: the next block may
 * take over its memory. Training stands still for 26 to 32 ms to copy 50 MB, where a bare memcpy
 * takes 20 to 27 ms (November 2026).
 */
#ifndef NN_LUA_BEHIND_H
#define NN_LUA_BEHIND_H

#include "io/stream.h"
#include "lua/context.h"

typedef struct nnl_block {
  nn_alloc *alloc; /* borrowed */
  uint8_t *bytes;  /* owned */
  size_t n, room;
  size_t sum_at; /* where the digits of the checksum belong, 0 = nowhere; see io/checksum.h */
} nnl_block;

/* An empty block, whose bytes (of c->alloc) the caller fills in with nnl_block_begin and _end. */
nnl_block *nnl_push_block(lua_State *L, nnl_context *c);
/* A stream into memory, that of the block at index `spare` if there is one there. */
void nnl_block_begin(lua_State *L, nn_stream *s, nnl_context *c, int spare);
/* Takes the stream's bytes; raises its error. */
void nnl_block_end(lua_State *L, nnl_block *b, nn_stream *s, nnl_context *c);

void l_behind_open(lua_State *L);

#endif
