#include "lua/behind.h"

#include <pthread.h>
#include <string.h>

#include "io/checksum.h"
#include "io/stream.h"
#include "io/zip.h"
#include "lua/control.h"

#define JOB_TYPE "nn.job"
#define BLOCK_TYPE "nn.block"

/* --- blocks ------------------------------------------------------------------------------- */

static void block_clear(nnl_block *b) {
  if (b->bytes) nn_mem_free(b->alloc, b->bytes);
  b->bytes = NULL, b->n = b->room = 0;
}

static int block_gc(lua_State *L) {
  block_clear(luaL_checkudata(L, 1, BLOCK_TYPE));
  return 0;
}

nnl_block *nnl_push_block(lua_State *L, nnl_context *c) {
  nnl_block *b = nnl_push_owner(L, sizeof *b, BLOCK_TYPE, block_gc);
  b->alloc = &c->alloc;
  return b;
}

void nnl_block_begin(lua_State *L, nn_stream *s, nnl_context *c, int spare) {
  nnl_block *b = luaL_testudata(L, spare, BLOCK_TYPE);
  nnl_check(L, nn_stream_grow(s, &c->alloc, "save", &c->error), &c->error);
  if (!b || !b->bytes) return;
  s->buffer = b->bytes, s->room = b->room;
  b->bytes = NULL;
}

void nnl_block_end(lua_State *L, nnl_block *b, nn_stream *s, nnl_context *c) {
  size_t room = s->room;
  nnl_check(L, nn_stream_take(s, &b->bytes, &b->n, &c->error), &c->error);
  b->room = room < b->n ? b->n : room;
}

/* --- jobs --------------------------------------------------------------------------------- */

/* Texts and blocks are kept alive by the list in the job's user value. */
typedef struct part {
  const char *name;  /* borrowed: of a member, NULL for a file that is no archive */
  const void *bytes; /* borrowed */
  size_t n;
  nnl_block *block; /* borrowed: where the bytes are a block's */
} part;

typedef struct job {
  pthread_mutex_t lock;
  pthread_cond_t over;
  int done, failed;  /* under the lock: jobs behind it wait for that */
  struct job *after; /* borrowed: the job before it, NULL when there is none */
  pthread_t thread;
  int running;
  nn_alloc own; /* the thread's: the C library's, as Lua's is not for two threads */
  const char *path, *previous; /* borrowed; `previous` may be NULL */
  size_t count;
  nn_status status; /* NN_OK once it is told */
  nn_error error;
  int told;
  part part[];
} job;

static void members_write(const job *j, nn_stream *s) {
  nn_zip_writer w;
  nn_zip_writer_init(&w, s);
  for (size_t i = 0; i < j->count; i++)
    nn_zip_add(&w, j->part[i].name, j->part[i].bytes, j->part[i].n);
  nn_zip_finish(&w);
}

static void write_file(job *j) {
  nn_stream s;
  j->status = nn_stream_create(&s, &j->own, j->path, &j->error);
  if (j->status) return;
  const part *p = j->part;
  if (p->block && p->block->sum_at) nn_checksum_set(p->block->bytes, p->n, p->block->sum_at);
  if (p->name) members_write(j, &s);
  else nn_stream_write(&s, p->bytes, p->n);
  s.previous = j->previous;
  j->status = nn_stream_commit(&s, &j->error);
}

static void *run(void *arg) {
  job *j = arg, *before = j->after;
  if (before) {
    pthread_mutex_lock(&before->lock);
    while (!before->done) pthread_cond_wait(&before->over, &before->lock);
    if (before->failed) j->status = NN_ERR_IO, j->error = before->error;
    pthread_mutex_unlock(&before->lock);
  }
  if (!j->status) write_file(j);
  pthread_mutex_lock(&j->lock);
  j->done = 1, j->failed = j->status != NN_OK;
  pthread_cond_broadcast(&j->over);
  pthread_mutex_unlock(&j->lock);
  return NULL;
}

static void join(job *j) {
  if (j->running) pthread_join(j->thread, NULL);
  j->running = 0;
}

/* Lets go of all that the job at index 1 keeps alive, the job before it included. */
static void drop(lua_State *L, job *j) {
  join(j);
  for (size_t i = 0; i < j->count; i++)
    if (j->part[i].block) block_clear(j->part[i].block);
  j->count = 0, j->after = NULL;
  lua_pushnil(L);
  lua_setiuservalue(L, 1, 1);
}

static int job_gc(lua_State *L) {
  drop(L, luaL_checkudata(L, 1, JOB_TYPE));
  return 0;
}

static int job_join(lua_State *L) {
  join(luaL_checkudata(L, 1, JOB_TYPE));
  return 0;
}

/* wait([keep]): with keep the block, nil when there is none. */
static int job_wait(lua_State *L) {
  job *j = luaL_checkudata(L, 1, JOB_TYPE);
  int keep = lua_toboolean(L, 2);
  lua_settop(L, 1);
  join(j);
  if (keep && j->count > 0) {
    lua_getiuservalue(L, 1, 1);
    lua_getfield(L, -1, "block");
    j->count = 0;
  }
  drop(L, j);
  nn_status status = j->status;
  j->status = NN_OK, j->told = 1;
  nnl_check(L, status, &j->error);
  return lua_gettop(L) > 1;
}

/* A job of `count` parts for the path at index 1; index 3 names the place of the file before, index
 * 4 is the job before. The list of what it borrows is left on the stack above it. */
static job *push_job(lua_State *L, size_t count) {
  static const luaL_Reg methods[] = {{"wait", job_wait}, {"join", job_join}, {NULL, NULL}};
  job *j = lua_newuserdatauv(L, sizeof *j + count * sizeof(part), 1);
  memset(j, 0, sizeof *j + count * sizeof(part));
  pthread_mutex_init(&j->lock, NULL);
  pthread_cond_init(&j->over, NULL);
  nn_alloc_init(&j->own, NULL, NULL, 0);
  j->path = lua_tostring(L, 1), j->previous = lua_tostring(L, 3);
  j->after = luaL_testudata(L, 4, JOB_TYPE);
  if (j->after && j->after->told) j->after = NULL;
  if (luaL_newmetatable(L, JOB_TYPE)) {
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, job_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, job_gc);
    lua_setfield(L, -2, "__close");
  }
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, 3);
  lua_setfield(L, -2, "previous");
  lua_pushvalue(L, 4);
  lua_setfield(L, -2, "after");
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, -3, 1);
  return j;
}

/* The text or block at the top becomes a part, and is kept in the list at index `kept`, a block
 * under the name "block": there is at most one. */
static void add_part(lua_State *L, job *j, const char *name, int kept) {
  part *p = &j->part[j->count];
  p->name = name;
  p->block = luaL_testudata(L, -1, BLOCK_TYPE);
  if (p->block) p->bytes = p->block->bytes, p->n = p->block->n;
  else p->bytes = luaL_checklstring(L, -1, &p->n);
  if (!p->bytes) nnl_raise(L, "save: the block was written before");
  if (p->block) lua_pushvalue(L, -1), lua_setfield(L, kept, "block");
  lua_rawseti(L, kept, luaL_len(L, kept) + 1);
  j->count++;
}

static void start(job *j) {
  j->running = pthread_create(&j->thread, NULL, run, j) == 0;
  if (!j->running) run(j); /* no thread is to be had: here and now */
}

static void check_arguments(lua_State *L) {
  nn_lua_check_files(L, "save");
  luaL_checkstring(L, 1);
  luaL_optstring(L, 3, NULL);
  lua_settop(L, 4);
}

static int l_file(lua_State *L) {
  check_arguments(L);
  luaL_checkudata(L, 2, BLOCK_TYPE);
  job *j = push_job(L, 1);
  lua_pushvalue(L, 2);
  add_part(L, j, NULL, 6);
  start(j);
  lua_settop(L, 5);
  return 1;
}

static int l_zip(lua_State *L) {
  check_arguments(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Integer count = luaL_len(L, 2);
  luaL_argcheck(L, count > 0, 2, "an archive without members");
  job *j = push_job(L, (size_t)count);
  for (lua_Integer k = 1; k <= count; k++) {
    lua_geti(L, 2, k);
    lua_geti(L, -1, 1);
    const char *name = luaL_checkstring(L, -1);
    lua_rawseti(L, 6, luaL_len(L, 6) + 1);
    lua_geti(L, -1, 2);
    add_part(L, j, name, 6);
    lua_settop(L, 6);
  }
  start(j);
  lua_settop(L, 5);
  return 1;
}

void l_behind_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"file", l_file}, {"zip", l_zip}, {NULL, NULL}};
  luaL_newlib(L, functions);
}
