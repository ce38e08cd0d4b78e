/* Runs: a to-be-closed value that says "training is under way".
 *
 *     local run <close> = core.run_begin()
 *     for each step do
 *       if run:check() == "interrupt" then history.stopped = "interrupt" break end
 *
 * While one is open, Ctrl-C only sets a flag; check() gives "interrupt" from then on, and raises
 * where the host cancelled or its time limit is over. The flag falls when the outermost run ends.
 */
#include "lua/control.h"

#include <lauxlib.h>

#define RUN "nnlua.run"

static const char control_key = 0; /* its address: the registry key */

void nn_lua_set_control(lua_State *L, nn_control *c) {
  lua_pushlightuserdata(L, c);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &control_key);
}

nn_control *nn_lua_control(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &control_key);
  nn_control *c = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (c) return c;
  c = lua_newuserdatauv(L, sizeof *c, 0);
  *c = (nn_control){0};
  lua_rawsetp(L, LUA_REGISTRYINDEX, &control_key);
  return c;
}

void nn_lua_poll(lua_State *L) {
  nn_error e;
  if (nn_control_poll(nn_lua_control(L), &e) != NN_OK) luaL_error(L, "%s", e.text);
}

void nn_lua_check_files(lua_State *L, const char *what) {
  if (nn_lua_control(L)->sandbox) luaL_error(L, "%s: files are closed in this sandbox", what);
}

/* The userdata holds 1 while it is open. */
static int l_run_begin(lua_State *L) {
  nn_control *c = nn_lua_control(L);
  int *open = lua_newuserdatauv(L, sizeof *open, 0);
  *open = 0;
  luaL_setmetatable(L, RUN);
  *open = 1;
  atomic_fetch_add(&c->runs, 1);
  return 1;
}

static int l_run_close(lua_State *L) {
  int *open = luaL_checkudata(L, 1, RUN);
  if (*open) {
    nn_control *c = nn_lua_control(L);
    *open = 0;
    if (atomic_fetch_sub(&c->runs, 1) == 1) atomic_store(&c->interrupted, 0);
  }
  return 0;
}

/* nil or "interrupt"; raises where the host ends the run. */
static int l_run_check(lua_State *L) {
  nn_lua_poll(L);
  lua_pushstring(L, atomic_load(&nn_lua_control(L)->interrupted) ? "interrupt" : NULL);
  return 1;
}

static int l_check_files(lua_State *L) {
  nn_lua_check_files(L, luaL_checkstring(L, 1));
  return 0;
}

void nn_lua_control_register(lua_State *L) {
  static const luaL_Reg run[] = {{"check", l_run_check},  {"close", l_run_close},
                                 {"__close", l_run_close}, {"__gc", l_run_close},
                                 {NULL, NULL}};
  static const luaL_Reg functions[] = {
      {"run_begin", l_run_begin}, {"check_files", l_check_files}, {NULL, NULL}};
  luaL_newmetatable(L, RUN);
  luaL_setfuncs(L, run, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, 0);
}
