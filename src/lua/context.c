#include "lua/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char context_key = 'c';

static int context_gc(lua_State *L) {
  nnl_context *c = lua_touserdata(L, 1);
  if (c->pool) nn_pool_free(c->pool);
  c->pool = NULL;
  nn_gemm_clear(&c->gemm);
  return 0;
}

static nnl_context *context_new(lua_State *L) {
  void *ud;
  nnl_context *c = lua_newuserdatauv(L, sizeof *c, 0);
  memset(c, 0, sizeof *c);
  lua_Alloc fn = lua_getallocf(L, &ud);
  nn_alloc_init(&c->alloc, fn, ud, 0);
  nn_gemm_init(&c->gemm, &c->alloc, NULL);
  lua_newtable(L);
  lua_pushcfunction(L, context_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  nnl_check(L, nn_pool_new(&c->alloc, 0, &c->pool, &c->error), &c->error);
  c->gemm.pool = c->pool;
  c->run.gemm = &c->gemm, c->run.pool = c->pool, c->run.error = &c->error;
  lua_rawsetp(L, LUA_REGISTRYINDEX, &context_key);
  return c;
}

nnl_context *nnl_context_get(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &context_key);
  nnl_context *c = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return c ? c : context_new(L);
}

void *nnl_push_owner(lua_State *L, size_t size, const char *type, lua_CFunction gc) {
  void *p = lua_newuserdatauv(L, size, 0);
  memset(p, 0, size);
  if (luaL_newmetatable(L, type)) {
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return p;
}

static void push_where(lua_State *L) {
  lua_Debug ar;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline > 0 && strncmp(ar.source, "@nnlua/", 7) != 0) {
      lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
      return;
    }
  }
  lua_pushliteral(L, "");
}

int nnl_raise(lua_State *L, const char *fmt, ...) {
  char text[sizeof(((nn_error *)0)->text)];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  push_where(L);
  lua_pushstring(L, text);
  lua_concat(L, 2);
  return lua_error(L);
}

void nnl_check(lua_State *L, nn_status s, const nn_error *e) {
  if (s == NN_OK) return;
  nnl_raise(L, "%s", e->text);
}
