#include "lua/behind.h"

#include <pthread.h>
#include <string.h>

#include "io/stream.h"

#define JOB_TYPE "nn.job"

typedef struct job {
  pthread_t thread;
  int running;
  nn_alloc own;    /* the thread's: the C library's, as Lua's is not for two threads */
  nn_alloc *alloc; /* borrowed: of `bytes` */
  uint8_t *bytes;  /* owned */
  size_t n;
  const char *path; /* a Lua string in user value 1 */
  nn_status status;
  nn_error error;
} job;

static void *run(void *arg) {
  job *j = arg;
  j->status = nn_file_save(&j->own, j->path, j->bytes, j->n, &j->error);
  return NULL;
}

static void finish(job *j) {
  if (j->running) pthread_join(j->thread, NULL);
  if (j->bytes) nn_mem_free(j->alloc, j->bytes);
  j->running = 0, j->bytes = NULL;
}

static int job_gc(lua_State *L) {
  finish(luaL_checkudata(L, 1, JOB_TYPE));
  return 0;
}

static int job_wait(lua_State *L) {
  job *j = luaL_checkudata(L, 1, JOB_TYPE);
  finish(j);
  nn_status status = j->status;
  j->status = NN_OK; /* told once */
  nnl_check(L, status, &j->error);
  return 0;
}

static job *new_job(lua_State *L) {
  static const luaL_Reg methods[] = {{"wait", job_wait}, {NULL, NULL}};
  job *j = lua_newuserdatauv(L, sizeof *j, 1);
  memset(j, 0, sizeof *j);
  if (luaL_newmetatable(L, JOB_TYPE)) {
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, job_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, job_gc);
    lua_setfield(L, -2, "__close");
  }
  lua_setmetatable(L, -2);
  return j;
}

void nnl_push_job(lua_State *L, nnl_context *c, const char *path, uint8_t *bytes, size_t n) {
  job *j = new_job(L);
  j->alloc = &c->alloc, j->bytes = bytes, j->n = n;
  j->path = lua_pushstring(L, path);
  lua_setiuservalue(L, -2, 1);
  nn_alloc_init(&j->own, NULL, NULL, 0);
  j->running = pthread_create(&j->thread, NULL, run, j) == 0;
  if (!j->running) run(j); /* no thread is to be had: here and now */
}
