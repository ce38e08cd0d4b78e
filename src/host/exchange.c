/* Values between a host and its scripts, through global variables. */
#include <lauxlib.h>

#include "host/state.h"

static void set_number(lua_State *L, nn_host_call *c) {
  lua_pushnumber(L, c->number);
  lua_setglobal(L, c->name);
}

nnlua_status nnlua_set_number(nnlua_state *s, const char *global, double value) {
  nn_host_call c = {.state = s, .body = set_number, .name = global, .number = value};
  return nn_host_run(&c);
}

static void set_string(lua_State *L, nn_host_call *c) {
  lua_pushstring(L, c->text);
  lua_setglobal(L, c->name);
}

nnlua_status nnlua_set_string(nnlua_state *s, const char *global, const char *value) {
  nn_host_call c = {.state = s, .body = set_string, .name = global, .text = value};
  return nn_host_run(&c);
}

static void get_number(lua_State *L, nn_host_call *c) {
  int is_number;
  int type = lua_getglobal(L, c->name);
  c->number = lua_tonumberx(L, -1, &is_number);
  if (!is_number) {
    c->status = NNLUA_ERROR;
    lua_pushfstring(L, "global '%s' is a %s value, expected a number", c->name,
                    lua_typename(L, type));
  }
}

nnlua_status nnlua_get_number(nnlua_state *s, const char *global, double *value) {
  nn_host_call c = {.state = s, .body = get_number, .name = global};
  nnlua_status status = nn_host_run(&c);
  if (status == NNLUA_OK) *value = c.number;
  return status;
}

/* list[script] becomes arg[0]. */
static void set_arg(lua_State *L, nn_host_call *c) {
  int script = (int)c->number;
  lua_createtable(L, c->count - script - 1, script + 1);
  for (int i = 0; i < c->count; i++) {
    lua_pushstring(L, c->list[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

nnlua_status nnlua_set_arg(nnlua_state *s, int argc, char **argv, int script) {
  nn_host_call c = {.state = s, .body = set_arg, .count = argc, .list = argv, .number = script};
  return nn_host_run(&c);
}
