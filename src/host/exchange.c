/* Values between a host and its scripts, through global variables. */
#include <lauxlib.h>
#include <string.h>

#include "host/state.h"
#include "lua/l_tensor.h"

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

/* Tensors have their operators from the moment the library is loaded. */
static void load_library(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "nnlua");
  lua_call(L, 1, 0);
}

static void set_tensor(lua_State *L, nn_host_call *c) {
  nn_shape shape = {.dtype = NN_F32, .ndim = c->count};
  nn_error e;
  load_library(L);
  for (int i = 0; i < c->count && i < NN_MAX_DIMS; i++) shape.dim[i] = c->shape[i];
  nnl_check(L, nn_shape_check(&shape, &e), &e);
  nnl_tensor *t = nnl_push_tensor(L, &shape);
  memcpy(t->t.data, c->from, nn_shape_bytes(&shape));
  lua_setglobal(L, c->name);
}

nnlua_status nnlua_set_tensor(nnlua_state *s, const char *global, const float *values, int ndim,
                              const int64_t *shape) {
  nn_host_call c = {.state = s, .body = set_tensor, .name = global, .from = values, .count = ndim,
                    .shape = shape};
  return nn_host_run(&c);
}

static void get_tensor(lua_State *L, nn_host_call *c) {
  size_t wanted = (size_t)c->number;
  char text[NNL_SHAPE_TEXT];
  load_library(L);
  lua_getglobal(L, c->name);
  nnl_tensor *t = nnl_coerce(L, lua_gettop(L), NN_F32);
  nn_tensor out;
  nn_shape shape = t->t.shape;
  if (!t->t.data || (size_t)nn_shape_size(&shape) != wanted)
    luaL_error(L, "global '%s' has the shape %s, expected %I elements", c->name,
               nn_shape_text(&shape, text, sizeof text), (LUAI_UACINT)wanted);
  shape.dtype = NN_F32;
  nn_tensor_init(&out, &shape, c->to);
  nn_tensor_copy(&out, &t->t);
}

nnlua_status nnlua_get_tensor(nnlua_state *s, const char *global, float *values, size_t count) {
  nn_host_call c = {.state = s, .body = get_tensor, .name = global, .to = values,
                    .number = (double)count};
  return nn_host_run(&c);
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
