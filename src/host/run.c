/* Running scripts under protection.
 *
 * Whatever can raise happens inside one C function that Lua calls protected, so no host is ever
 * ended by Lua's panic. The message of a failure waits in a registry slot for nnlua_error.
 */
#include <lauxlib.h>
#include <string.h>

#include "host/state.h"

static int run_body(lua_State *L) {
  nn_host_call *c = lua_touserdata(L, 1);
  c->body(L, c);
  if (c->status == NNLUA_OK) return 0;
  return lua_gettop(L) > 1; /* the message is on top */
}

nnlua_status nn_host_run(nn_host_call *c) {
  nnlua_state *s = c->state;
  lua_State *L = s->L;
  int top = lua_gettop(L);
  c->status = NNLUA_OK;
  nn_host_limits_begin(s);
  lua_pushcfunction(L, run_body);
  lua_pushlightuserdata(L, c);
  int status = lua_pcall(L, 1, 1, 0);
  if (status != LUA_OK) c->status = status == LUA_ERRMEM ? NNLUA_MEMORY : NNLUA_ERROR;
  if (c->status != NNLUA_OK) {
    if (c->status == NNLUA_ERROR) c->status = nn_host_limits_status(s, c->status);
    s->error = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "(no message)";
    lua_rawseti(L, LUA_REGISTRYINDEX, s->error_slot); /* the slot exists: nothing is allocated */
  }
  lua_settop(L, top);
  nn_host_limits_end(s);
  return c->status;
}

/* Turns any error value into a text with a traceback, as lua does. */
static int l_traceback(lua_State *L) {
  const char *text = lua_tostring(L, 1);
  if (!text) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    text = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  luaL_traceback(L, L, text, 1);
  return 1;
}

void nn_host_pcall(lua_State *L, nn_host_call *c, int nargs, int nresults) {
  int base = lua_gettop(L) - nargs;
  lua_pushcfunction(L, l_traceback);
  lua_insert(L, base);
  int status = lua_pcall(L, nargs, nresults, base);
  lua_remove(L, base);
  if (status != LUA_OK) c->status = status == LUA_ERRMEM ? NNLUA_MEMORY : NNLUA_ERROR;
}

static nnlua_status load_status(int status) {
  switch (status) {
    case LUA_OK: return NNLUA_OK;
    case LUA_ERRSYNTAX: return NNLUA_SYNTAX;
    case LUA_ERRMEM: return NNLUA_MEMORY;
    case LUA_ERRFILE: return NNLUA_FILE;
    default: return NNLUA_ERROR;
  }
}

/* Bytecode can crash the process, so a sandbox takes sources only. */
static const char *mode_of(const nn_host_call *c) { return c->state->options.sandbox ? "t" : NULL; }

static void do_string(lua_State *L, nn_host_call *c) {
  const char *name = c->name ? c->name : c->text;
  c->status = load_status(luaL_loadbufferx(L, c->text, strlen(c->text), name, mode_of(c)));
  if (c->status == NNLUA_OK) nn_host_pcall(L, c, 0, 0);
}

nnlua_status nnlua_dostring(nnlua_state *s, const char *code, const char *name) {
  nn_host_call c = {.state = s, .body = do_string, .text = code, .name = name};
  return nn_host_run(&c);
}

static void do_file(lua_State *L, nn_host_call *c) {
  c->status = load_status(luaL_loadfilex(L, c->name, mode_of(c)));
  if (c->status != NNLUA_OK) return;
  luaL_checkstack(L, c->count, "too many arguments to script");
  for (int i = 0; i < c->count; i++) lua_pushstring(L, c->list[i]);
  nn_host_pcall(L, c, c->count, 0);
}

nnlua_status nnlua_dofile(nnlua_state *s, const char *path, int argc, char **argv) {
  nn_host_call c = {.state = s, .body = do_file, .name = path, .count = argc, .list = argv};
  return nn_host_run(&c);
}

static int is_incomplete(lua_State *L) {
  static const char mark[] = "<eof>";
  size_t n;
  const char *text = lua_tolstring(L, -1, &n);
  return text && n >= sizeof mark - 1 && strcmp(text + n - (sizeof mark - 1), mark) == 0;
}

/* Compiles `text` as an expression, else as statements. */
static nnlua_status load_line(lua_State *L, nn_host_call *c) {
  const char *expression = lua_pushfstring(L, "return %s", c->text);
  int status = luaL_loadbufferx(L, expression, strlen(expression), "=stdin", mode_of(c));
  if (status == LUA_OK) return NNLUA_OK;
  lua_pop(L, 2);
  status = luaL_loadbufferx(L, c->text, strlen(c->text), "=stdin", mode_of(c));
  return status == LUA_ERRSYNTAX && is_incomplete(L) ? NNLUA_INCOMPLETE : load_status(status);
}

static void do_line(lua_State *L, nn_host_call *c) {
  c->status = load_line(L, c);
  if (c->status != NNLUA_OK) return;
  int first = lua_gettop(L);
  nn_host_pcall(L, c, 0, LUA_MULTRET);
  int n = lua_gettop(L) - first + 1;
  if (c->status != NNLUA_OK || n == 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, first);
  if (lua_pcall(L, n, 0, 0) == LUA_OK) return;
  c->status = NNLUA_ERROR;
  lua_pushfstring(L, "error calling 'print' (%s)", lua_tostring(L, -1));
}

nnlua_status nnlua_eval(nnlua_state *s, const char *text) {
  nn_host_call c = {.state = s, .body = do_line, .text = text};
  return nn_host_run(&c);
}

static void do_require(lua_State *L, nn_host_call *c) {
  lua_getglobal(L, "require");
  lua_pushstring(L, c->text);
  nn_host_pcall(L, c, 1, 1);
  if (c->status == NNLUA_OK && c->name) lua_setglobal(L, c->name);
}

nnlua_status nnlua_require(nnlua_state *s, const char *module, const char *global) {
  nn_host_call c = {.state = s, .body = do_require, .text = module, .name = global};
  return nn_host_run(&c);
}

const char *nnlua_error(const nnlua_state *s) { return s->error; }
