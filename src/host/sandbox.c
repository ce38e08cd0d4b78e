/* A state for strangers' scripts.
 *
 * Gone: io, os (but time, clock, date, difftime), debug, package, dofile, loadfile, string.dump.
 * Changed: load takes sources only; require finds nnlua's modules only; setmetatable refuses __gc,
 * because no hook can end a finalizer. The library's own Lua files get an environment of their own
 * with what they need of io, os and debug; its functions that open files by name ask check_files.
 * Memory and time are the limits' business.
 */
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "host/module.h"
#include "host/state.h"

/* load(chunk[, name[, mode[, env]]]) with mode "t", whatever was asked for. Upvalue 1: load. */
static int l_load(lua_State *L) {
  int n = lua_gettop(L);
  if (n < 3) lua_settop(L, 3);
  lua_pushliteral(L, "t");
  lua_replace(L, 3);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, n < 3 ? 3 : n, LUA_MULTRET);
  return lua_gettop(L);
}

/* Upvalue 1: setmetatable. */
static int l_setmetatable(lua_State *L) {
  if (lua_istable(L, 2)) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL)
      return luaL_error(L, "setmetatable: a sandbox has no finalizers (__gc)");
    lua_pop(L, 1);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

/* Stands for io.open and its kin in the library's environment. */
static int l_closed(lua_State *L) {
  return luaL_error(L, "files are closed in this sandbox");
}

static void wrap_global(lua_State *L, const char *name, lua_CFunction f) {
  lua_getglobal(L, name);
  lua_pushcclosure(L, f, 1);
  lua_setglobal(L, name);
}

/* Pushes a table with the named fields of the global table `from`. */
static void push_part(lua_State *L, const char *from, const char *const *names) {
  lua_newtable(L);
  lua_getglobal(L, from);
  for (; *names; names++) {
    lua_getfield(L, -1, *names);
    lua_setfield(L, -3, *names);
  }
  lua_pop(L, 1);
}

static void close_fields(lua_State *L, const char *const *names) {
  for (; *names; names++) {
    lua_pushcfunction(L, l_closed);
    lua_setfield(L, -2, *names);
  }
}

/* The environment of the library's own chunks, left on the stack: what scripts see, and a little
 * more. */
static void push_library_environment(lua_State *L) {
  static const char *const io[] = {"write", "stdout", "stderr", NULL};
  static const char *const io_closed[] = {"open", "lines", "popen", "input", "output", "tmpfile",
                                          NULL};
  static const char *const os[] = {"time", "clock", "date", "difftime", "getenv", NULL};
  static const char *const os_closed[] = {"remove", "rename", "tmpname", "execute", "exit", NULL};
  static const char *const debug[] = {"getinfo", "traceback", NULL};
  lua_newtable(L);
  push_part(L, "io", io);
  close_fields(L, io_closed);
  lua_setfield(L, -2, "io");
  push_part(L, "os", os);
  close_fields(L, os_closed);
  lua_setfield(L, -2, "os");
  push_part(L, "debug", debug);
  lua_setfield(L, -2, "debug");
  lua_getglobal(L, "setmetatable");
  lua_setfield(L, -2, "setmetatable");
  lua_newtable(L);
  lua_pushglobaltable(L);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

/* package.searchers: only the preloaded modules; nn_host_install adds ours. */
static void close_package(lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = luaL_len(L, -1); i > 1; i--) {
    lua_pushnil(L);
    lua_seti(L, -2, i);
  }
  lua_pop(L, 2);
}

/* Out of the globals and out of package.loaded, or require would bring it back. */
static void forget(lua_State *L, const char *name) {
  lua_pushnil(L);
  lua_setglobal(L, name);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushnil(L);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

void nn_host_sandbox(lua_State *L) {
  static const char *const os[] = {"time", "clock", "date", "difftime", NULL};
  static const char *const gone[] = {"io", "os", "debug", "dofile", "loadfile", NULL};
  push_library_environment(L);
  push_part(L, "os", os);
  lua_getglobal(L, "string");
  lua_pushnil(L);
  lua_setfield(L, -2, "dump");
  lua_pop(L, 1);
  for (const char *const *name = gone; *name; name++) forget(L, *name);
  lua_setglobal(L, "os");
  wrap_global(L, "load", l_load);
  wrap_global(L, "setmetatable", l_setmetatable);
  close_package(L);
  nn_host_install(L);
  forget(L, "package");
  nn_host_set_environment(L); /* takes the table of the first line */
}
