/* Opening and closing states; the allocator that counts and caps. */
#include "host/state.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

#include "core/version.h"
#include "host/module.h"
#include "lua/control.h"

const char *nnlua_version(void) { return NN_VERSION; }

static void *libc_allocate(void *data, void *block, size_t old_size, size_t size) {
  (void)data, (void)old_size;
  if (size == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, size);
}

/* lua_Alloc: when block is NULL, old_size is a kind of object, not a size. Lua expects that
 * shrinking never fails, so the cap holds for growing alone. */
static void *allocate(void *data, void *block, size_t old_size, size_t size) {
  nnlua_state *s = data;
  size_t old = block ? old_size : 0, limit = s->options.memory_limit;
  if (size > old && limit && (s->used > limit || size - old > limit - s->used)) return NULL;
  void *p = s->options.allocate(s->options.allocate_data, block, old, size);
  if (!p && size) return NULL;
  s->used = s->used - old + size;
  if (s->used > s->peak) s->peak = s->used;
  return p;
}

/* Fills a new Lua state; runs protected. */
static int prepare(lua_State *L) {
  nnlua_state *s = lua_touserdata(L, 1);
  if (s->options.ignore_environment) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  luaL_openlibs(L);
  nn_lua_set_control(L, &s->control);
  lua_pushliteral(L, "");
  s->error = lua_tostring(L, -1);
  s->error_slot = luaL_ref(L, LUA_REGISTRYINDEX);
  if (s->options.sandbox) nn_host_sandbox(L);
  nn_host_install(L);
  return 0;
}

static int open_lua(nnlua_state *s) {
  s->L = lua_newstate(allocate, s);
  if (!s->L) return 0;
  if (s->options.warn) lua_setwarnf(s->L, s->options.warn, s->options.warn_data);
  lua_pushcfunction(s->L, prepare);
  lua_pushlightuserdata(s->L, s);
  return lua_pcall(s->L, 1, 0, 0) == LUA_OK;
}

nnlua_state *nnlua_open(const nnlua_options *options) {
  nnlua_options o = options ? *options : (nnlua_options){0};
  if (!o.allocate) o.allocate = libc_allocate;
  nnlua_state *s = o.allocate(o.allocate_data, NULL, 0, sizeof *s);
  if (!s) return NULL;
  *s = (nnlua_state){.options = o, .used = sizeof *s, .peak = sizeof *s, .error = ""};
  s->control.sandbox = o.sandbox;
  if (open_lua(s)) return s;
  nnlua_close(s);
  return NULL;
}

void nnlua_close(nnlua_state *s) {
  if (!s) return;
  if (s->L) lua_close(s->L);
  s->options.allocate(s->options.allocate_data, s, sizeof *s, 0);
}

lua_State *nnlua_lua(nnlua_state *s) { return s->L; }

size_t nnlua_memory(const nnlua_state *s, size_t *peak) {
  if (peak) *peak = s->peak;
  return s->used;
}
